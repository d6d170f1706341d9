import {
  DEFAULT_COST,
  formatPasswordHash,
  hashPassword,
  SALT_BYTES,
} from "../../../src/auth/password_hash.ts";
import { testAuthority } from "../../support/certificates.ts";
import { type TempFolder, tempFolder } from "../../support/peers.ts";
import { type RecordingSink, startRecordingSink } from "../../support/recording_sink.ts";
import { type RelayProcess, startRelay } from "../../support/relay_process.ts";

/** The root of all certificates of these tests. */
export const authority = testAuthority();

/** A relay with certificates for `relay.test` and `other.test` in front of a recording sink. */
export interface SecureRelay extends AsyncDisposable {
  readonly relay: RelayProcess;
  readonly sink: RecordingSink;
  readonly folder: string;
  readonly port: number;
}

/** Starts one; `listener` and `settings` are lines of its config. */
export async function startSecureRelay(
  { listener, settings = "" }: { listener: string; settings?: string },
): Promise<SecureRelay> {
  await using stack = new AsyncDisposableStack();
  const folder: TempFolder = stack.use(await tempFolder());
  await writePair(folder.path, "relay");
  await writePair(folder.path, "other");
  await Deno.writeTextFile(`${folder.path}/ca.crt`, authority.certificate);
  const sink = stack.use(startRecordingSink());
  const relay = stack.use(
    await startRelay({
      folder: folder.path,
      nextHopPort: sink.port,
      listener,
      settings: `${tlsTable(folder.path)}\n${settings}`,
    }),
  );
  const owned = stack.move();
  return {
    relay,
    sink,
    folder: folder.path,
    port: relay.port,
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

/** Writes `<name>.crt` and `<name>.key` for `<name>.test`; another pair at each call. */
export async function writePair(folder: string, name: string): Promise<void> {
  const { certificate, key } = authority.issue({ names: [`${name}.test`] });
  await Deno.writeTextFile(`${folder}/${name}.crt`, certificate);
  await Deno.writeTextFile(`${folder}/${name}.key`, key);
}

/** The config lines of a user with a password. */
export async function userTable(name: string, password: string): Promise<string> {
  const recipe = { ...DEFAULT_COST, salt: crypto.getRandomValues(new Uint8Array(SALT_BYTES)) };
  const digest = await hashPassword(password, recipe);
  return `[[users]]\nname = "${name}"\npassword = "${formatPasswordHash({ recipe, digest })}"\n`;
}

/** The config lines of both pairs in a folder. */
export function tlsTable(folder: string): string {
  const pairs = ["relay", "other"].map((name) =>
    `{ certificate = "${folder}/${name}.crt", key = "${folder}/${name}.key" }`
  );
  return `[tls]\ncertificates = [${pairs.join(", ")}]\nclient_ca = "${folder}/ca.crt"`;
}
