import { parseDialogue, playDialogue } from "./dialogue.ts";

const folder = new URL("../../dialogues/", import.meta.url);
const names = [...Deno.readDirSync(folder)].map(({ name }) => name)
  .filter((name) => name.endsWith(".txt")).sort();

for (const name of names) {
  Deno.test(`dialogue: ${name.replace(".txt", "")}`, async () => {
    await playDialogue(parseDialogue(await Deno.readTextFile(new URL(name, folder))));
  });
}
