/** Small file systems of a test's own, to be filled or made read-only. */
import { runPeer, tempFolder } from "./peers.ts";

/** A mounted tmpfs. Disposing of it unmounts it. */
export interface Tmpfs extends AsyncDisposable {
  readonly path: string;
  /** Refuses writes from now on. */
  makeReadOnly(): Promise<void>;
}

/** Whether this process may mount file systems, found out by doing it. */
export function canMount(): boolean {
  if (Deno.uid() !== 0) return false;
  const folder = Deno.makeTempDirSync({ prefix: "posthouse-test-" });
  const isMounted = runSync("mount", ["-t", "tmpfs", "none", folder]);
  if (isMounted) runSync("umount", [folder]);
  Deno.removeSync(folder);
  return isMounted;
}

/** Mounts a tmpfs of this size. */
export async function mountTmpfs({ sizeMib }: { sizeMib: number }): Promise<Tmpfs> {
  const folder = await tempFolder();
  await mount(["-t", "tmpfs", "-o", `size=${sizeMib}m`, "none", folder.path]);
  return {
    path: folder.path,
    makeReadOnly: () => mount(["-o", "remount,ro", folder.path]),
    [Symbol.asyncDispose]: async () => {
      await runPeer("umount", { args: ["--lazy", folder.path] });
      await folder[Symbol.asyncDispose]();
    },
  };
}

async function mount(args: readonly string[]): Promise<void> {
  const { code, stderr } = await runPeer("mount", { args });
  if (code !== 0) throw new Error(`mount ${args.join(" ")}: ${stderr}`);
}

function runSync(name: string, args: string[]): boolean {
  try {
    return new Deno.Command(name, { args, stdout: "null", stderr: "null" }).outputSync().success;
  } catch {
    return false;
  }
}
