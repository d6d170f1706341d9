/** Which test files stand near a file of the sources, by what they import. */
import { dirname, join, relative } from "node:path";
import ts from "typescript";
import { roomOf } from "../tools/rooms.ts";

/** Slow, or of the whole relay: not the nearest of anything. */
const FAR = ["bench", "e2e", "fuzz", "mutation", "scenario", "tools"].map((name) =>
  `tests/${name}/`
);
/** How many imports lie at most between a test file and the room it is near to. */
const MAX_HOPS = 2;

/** The room of a file, by the room table; null for what stands in none. */
export function roomOfPath(path: string): string | null {
  return path.startsWith("src/") ? roomOf(path.slice("src/".length))?.name ?? null : null;
}

/** All files with code below a folder, as paths below the root. */
export function filesBelow(root: string, folder: string): readonly string[] {
  return [...Deno.readDirSync(join(root, folder))].flatMap(({ name, isDirectory }) => {
    const path = `${folder}/${name}`;
    if (isDirectory) return filesBelow(root, path);
    return /(?<!\.d)\.tsx?$/.test(name) ? [path] : [];
  }).sort();
}

/** The test files of a room: those in its folder, and those that import it. */
export function nearestTests(root: string, room: string): readonly string[] {
  const folder = `tests/${room.replace("/<provider>", "")}/`;
  const tests = filesBelow(root, "tests").filter((path) => path.endsWith("_test.ts"));
  return tests.filter((path) => !FAR.some((far) => path.startsWith(far))).filter((path) =>
    path.startsWith(folder) || reaches(root, { path, room, hops: MAX_HOPS })
  );
}

function reaches(
  root: string,
  { path, room, hops }: { path: string; room: string; hops: number },
): boolean {
  if (roomOfPath(path) === room) return true;
  if (hops === 0) return false;
  return importsOf(root, path).some((next) => reaches(root, { path: next, room, hops: hops - 1 }));
}

/** The files that a file imports, or starts as a worker, as paths below the root. */
function importsOf(root: string, path: string): readonly string[] {
  const text = Deno.readTextFileSync(join(root, path));
  return ts.preProcessFile(text).importedFiles.flatMap(({ fileName }) =>
    fileName.startsWith(".") ? [relative(root, join(root, dirname(path), fileName))] : []
  ).filter((next) => /\.tsx?$/.test(next));
}
