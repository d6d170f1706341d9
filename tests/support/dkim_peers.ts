/** Other people's verifiers of DKIM and ARC, with the keys handed to them. */
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
  return JSON.parse(await runScript(DKIM_SCRIPT, { message, records }));
}

async function runScript(
  script: string,
  { message, records }: { message: Uint8Array; records: KeyRecords },
): Promise<string> {
  const args = ["-c", script, JSON.stringify(records)];
  const { code, stdout, stderr } = await runPeer(PYTHON, { args, stdin: message });
  if (code !== 0) throw new Error(stderr);
  return stdout;
}
