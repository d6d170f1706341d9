import { assertEquals } from "@std/assert";
import { probed, probeModule } from "./probes.ts";

const TEXT = `
export function sign(n: number): string {
  if (n < 0) return "minus";
  else if (n === 0) { return "zero"; }
  switch (n) {
    case 1: return "one";
    default:
      return ((text: string) => text + "!")("many");
  }
}
`;

/** The probed text as a module, and the file that its probes write to. */
async function load(): Promise<{ sign: (n: number) => string; met: () => Promise<string[]> }> {
  const folder = await Deno.makeTempDir();
  const notes = `${folder}/notes`;
  await Deno.writeTextFile(`${folder}/probe.js`, probeModule(notes));
  const { text } = probed(TEXT, { path: "s.ts", id: "7", moduleUrl: `file://${folder}/probe.js` });
  await Deno.writeTextFile(`${folder}/s.ts`, text);
  const { sign } = await import(`file://${folder}/s.ts`);
  return { sign, met: async () => (await Deno.readTextFile(notes)).trim().split("\n") };
}

Deno.test("probes change nothing and tell which blocks a call comes through", async () => {
  const { sign, met } = await load();
  assertEquals([-1, 0, 1, 2].map(sign), ["minus", "zero", "one", "many!"]);
  const { probeAt } = probed(TEXT, { path: "s.ts", id: "7", moduleUrl: "" });
  const places = [`"minus"`, `"zero"`, `"one"`, `((text`, `text + `, `export`];
  const probes = places.map((place) => probeAt(TEXT.indexOf(place)));
  assertEquals(new Set(probes).size, places.length);
  for (const probe of probes) assertEquals((await met()).includes(probe), true, probe);
});

Deno.test("a block that no call enters is not told", async () => {
  const { sign, met } = await load();
  sign(-1);
  const { probeAt } = probed(TEXT, { path: "s.ts", id: "7", moduleUrl: "" });
  assertEquals((await met()).includes(probeAt(TEXT.indexOf(`"one"`))), false);
});
