/** Opens files as `Deno.open` does; a caller that hands in another one knows what is open. */
export type OpenFile = (path: string, options?: Deno.OpenOptions) => Promise<Deno.FsFile>;

/** Whether a file is there; any other trouble counts as there, to be met when it is opened. */
export function existsSync(path: string): boolean {
  try {
    Deno.lstatSync(path);
    return true;
  } catch (error) {
    return !(error instanceof Deno.errors.NotFound);
  }
}

/** Removes a file that may be gone already. */
export function removeIfThere(path: string): void {
  try {
    Deno.removeSync(path);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}
