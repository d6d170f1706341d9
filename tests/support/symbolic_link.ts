/**
 * Makes `path` a symbolic link to `target`. By a program: `Deno.symlink` is only for who may read
 * and write everywhere, and tests may be run with less.
 */
export async function symbolicLink(target: string, path: string): Promise<void> {
  const { success, stderr } = await new Deno.Command("ln", { args: ["-s", target, path] }).output();
  if (!success) throw new Error(`Cannot link: ${new TextDecoder().decode(stderr)}`);
}
