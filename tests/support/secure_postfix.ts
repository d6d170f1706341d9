import type { KeyPair } from "../../src/net/conn.ts";
import { tempFolder } from "./peers.ts";
import { type Postfix, startPostfix } from "./postfix.ts";

/** Starts a Postfix that offers STARTTLS with this certificate and sends on to a port. */
export async function startSecurePostfix(
  nextHopPort: number,
  { certificate, key }: KeyPair,
  settings: Readonly<Record<string, string>> = {},
): Promise<Pick<Postfix, "port" | "log"> & AsyncDisposable> {
  const folder = await tempFolder();
  await Deno.writeTextFile(`${folder.path}/tls.pem`, key + certificate);
  const postfix = await startPostfix({
    nextHopPort,
    settings: {
      local_header_rewrite_clients: "", // or it adds what it misses
      smtpd_error_sleep_time: "0",
      smtpd_tls_security_level: "may",
      smtpd_tls_chain_files: `${folder.path}/tls.pem`,
      ...settings,
    },
  });
  return {
    port: postfix.port,
    log: () => postfix.log(),
    async [Symbol.asyncDispose]() {
      await postfix[Symbol.asyncDispose]();
      await folder[Symbol.asyncDispose]();
    },
  };
}
