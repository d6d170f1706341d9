/** Public test suites as data, read from beside the project or from where `POSTHOUSE_SUITES` names. */
import { parseAll } from "@std/yaml";

const FOLDER = Deno.env.get("POSTHOUSE_SUITES") ??
  new URL("../../../shared/suites", import.meta.url).pathname;

/** The documents of a suite; null where it is not there. */
export async function readSuite<Scenario>(name: string): Promise<readonly Scenario[] | null> {
  try {
    const text = await Deno.readTextFile(`${FOLDER}/${name}`);
    return parseAll(text, { allowDuplicateKeys: true }) as Scenario[]; // one suite has some
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return null;
    throw error;
  }
}
