/** Other people's verifiers of DKIM and ARC, with the keys handed to them. */
import { concatBytes, encodeText } from "../../src/base/bytes.ts";
import { havePeer, runPeer, tempFolder } from "./peers.ts";

/** TXT records by name. */
export type KeyRecords = Readonly<Record<string, string>>;

/** Debian's, which has the package; others on the PATH need not. */
const PYTHON = "/usr/bin/python3";

export const haveOpenDkim = havePeer("opendkim");
export const haveDkimPy = Deno.env.get("CI") === "true" || await canImport("dkim, nacl");

async function canImport(modules: string): Promise<boolean> {
  try {
    return (await runPeer(PYTHON, { args: ["-c", `import ${modules}`] })).code === 0;
  } catch {
    return false; // there is no such Python
  }
}

/** The first signature that OpenDKIM found good, as `s=SELECTOR d=DOMAIN`, or `bad`. */
export async function verifyWithOpenDkim(
  message: Uint8Array,
  records: KeyRecords,
): Promise<readonly string[]> {
  await using folder = await tempFolder();
  const { path } = folder;
  await Deno.writeTextFile(
    `${path}/conf`,
    `Mode v\nTestDNSData csl:${
      Object.entries(records).map(([name, value]) => `${name}=${value}`).join(",")
    }\nOn-BadSignature accept\nOn-KeyNotFound accept\n`,
  );
  await Deno.writeFile(`${path}/message.eml`, message);
  const { stdout, stderr } = await runPeer("opendkim", {
    args: ["-x", `${path}/conf`, "-t", `${path}/message.eml`, "-v", "-v"],
  });
  return [...`${stdout}${stderr}`.matchAll(/verification \(s=([^\s,]+),? d=([^,)]+)[^)]*\) (\w+)/g)]
    .map(([, selector, domain, verdict]) =>
      verdict === "succeeded" ? `s=${selector} d=${domain}` : "bad"
    );
}

const DKIM_SCRIPT = `
import sys, json, dkim
message = sys.stdin.buffer.read()
records = json.loads(sys.argv[1])
def txt(name, timeout=5):
    value = records.get(name.decode().rstrip("."))
    return value.encode() if value else None
found = []
count = sum(1 for name, _ in dkim.rfc822_parse(message)[0] if name.lower() == b"dkim-signature")
for index in range(count):
    try:
        found.append(bool(dkim.DKIM(message).verify(idx=index, dnsfunc=txt)))
    except Exception as error:
        found.append(str(error))
print(json.dumps(found))
`;

/** What dkimpy says of each signature, from the first: true, false or why it cannot tell. */
export async function verifyWithDkimPy(
  message: Uint8Array,
  records: KeyRecords,
): Promise<readonly (boolean | string)[]> {
  return JSON.parse(await runScript(DKIM_SCRIPT, { message, options: records }));
}

const ARC_VERIFY_SCRIPT = `
import sys, json, dkim
message = sys.stdin.buffer.read()
records = json.loads(sys.argv[1])
def txt(name, timeout=5):
    value = records.get(name.decode().rstrip("."))
    return value.encode() if value else None
cv, results, reason = dkim.arc_verify(message, dnsfunc=txt)
print(json.dumps([cv.decode() if cv else None, [one["instance"] for one in results], reason]))
`;

/**
 * What dkimpy says of a message's ARC chain: its status, null for one that has been sealed as
 * failed, with the instances that it looked at and its reason.
 */
export async function verifyArcWithDkimPy(
  message: Uint8Array,
  records: KeyRecords,
): Promise<readonly [status: string | null, instances: readonly number[], reason: string]> {
  return JSON.parse(await runScript(ARC_VERIFY_SCRIPT, { message, options: records }));
}

/** dkimpy reads the results to seal with a module of its own, which Debian does not have. */
const ARC_SIGN_SCRIPT = `
import sys, json, re, types, dkim
class Header:
    @staticmethod
    def parse(text):
        value = re.sub(r"\\s+", " ", text.split(":", 1)[1]).strip()
        server, *rest = [part.strip() for part in value.split(";")]
        pairs = [part.split()[0].split("=") for part in rest if "=" in part]
        results = [types.SimpleNamespace(method=one[0], result=one[1]) for one in pairs]
        return types.SimpleNamespace(authserv_id=server, results=results)
dkim.authres = types.SimpleNamespace(AuthenticationResultsHeader=Header)
message = sys.stdin.buffer.read()
options = json.loads(sys.argv[1])
field = "Authentication-Results: %s; arc=%s; spf=pass\\r\\n" % (options["server"], options["cv"])
message = field.encode() + message
made = dkim.ARC(message).sign(options["selector"].encode(), options["domain"].encode(),
    options["key"].encode(), options["server"].encode(), [b"from", b"to", b"subject"])
sys.stdout.buffer.write(b"".join(line.rstrip() + b"\\r\\n" for line in made) + field.encode())
`;

/** The message with an ARC set that dkimpy puts in front of it. */
export async function sealWithDkimPy(
  message: Uint8Array,
  options: {
    readonly domain: string;
    readonly selector: string;
    /** RSA, PEM (PKCS #8). */
    readonly key: string;
    /** The name that states the results. */
    readonly server: string;
    readonly cv: "none" | "pass" | "fail";
  },
): Promise<Uint8Array> {
  return await withFields(ARC_SIGN_SCRIPT, { message, options });
}

const SIGN_SCRIPT = `
import sys, json, dkim
options = json.loads(sys.argv[1])
message = sys.stdin.buffer.read()
field = dkim.DKIM(message, signature_algorithm=options["algorithm"].encode()).sign(
    options["selector"].encode(), options["domain"].encode(), options["key"].encode(),
    canonicalize=tuple(part.encode() for part in options["forms"].split("/")),
    length=options["length"])
sys.stdout.buffer.write(field)
`;

/** The message with a DKIM signature that dkimpy puts in front of it. */
export async function signWithDkimPy(
  message: Uint8Array,
  options: {
    readonly domain: string;
    readonly selector: string;
    /** PEM (PKCS #8) for RSA, the seed in base64 for Ed25519. */
    readonly key: string;
    readonly algorithm: "rsa-sha256" | "ed25519-sha256";
    /** `simple/relaxed` … */
    readonly forms: string;
    /** Whether it says how much of the body it covers. */
    readonly length: boolean;
  },
): Promise<Uint8Array> {
  return await withFields(SIGN_SCRIPT, { message, options });
}

/** The message with the fields that a script makes of it in front. */
async function withFields(
  script: string,
  given: { message: Uint8Array; options: unknown },
): Promise<Uint8Array> {
  return concatBytes([encodeText(await runScript(script, given)), given.message]);
}

async function runScript(
  script: string,
  { message, options }: { message: Uint8Array; options: unknown },
): Promise<string> {
  const args = ["-c", script, JSON.stringify(options)];
  const { code, stdout, stderr } = await runPeer(PYTHON, { args, stdin: message });
  if (code !== 0) throw new Error(stderr);
  return stdout;
}
