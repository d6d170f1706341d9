/** A copy of the project that may be changed and run, and thrown away. */
import { join } from "node:path";
import { applied, type Mutant } from "./mutant.ts";
import { type Probed, probed, probeModule } from "./probes.ts";

const COPIED = ["src", "tests", "docs", "README.md", "deno.json", "deno.lock"];

/** One run of some test files. */
export interface Run {
  readonly kind: "passed" | "failed" | "too long";
  readonly ms: number;
  /** The names of the tests that failed, as `deno test` prints them. */
  readonly failed: readonly string[];
}

/** A copy in a folder of its own, which is also the only place where its tests may write. */
export class Tree implements AsyncDisposable {
  readonly #folder: string;
  readonly #root: string;
  readonly #notes: string;
  readonly #report: (line: string) => void;

  private constructor(folder: string, report: (line: string) => void) {
    this.#report = report;
    this.#folder = folder;
    this.#root = join(folder, "tree");
    this.#notes = join(folder, "notes");
  }

  /** Copies the project that stands at `root`. */
  static async copy(root: string, report: (line: string) => void): Promise<Tree> {
    // Short: the path of a socket has 107 octets at most.
    const tree = new Tree(await Deno.makeTempDir({ prefix: "pm-" }), report);
    await Deno.mkdir(join(tree.#folder, "t"));
    await Deno.mkdir(tree.#root);
    const args = ["-r", ...COPIED.map((name) => join(root, name)), tree.#root];
    const { success } = await new Deno.Command("cp", { args }).output();
    if (!success) throw new Error(`Cannot copy the project: cp failed for ${root}`);
    await Deno.writeTextFile(join(tree.#folder, "probe.js"), probeModule(tree.#notes));
    return tree;
  }

  /** Calls `work` while these files have probes. */
  async withProbes<T>(
    paths: readonly string[],
    work: (probes: ReadonlyMap<string, Probed>) => Promise<T>,
  ): Promise<T> {
    const moduleUrl = `file://${join(this.#folder, "probe.js")}`;
    const places = paths.map((path) => join(this.#root, path));
    const texts = places.map((place) => Deno.readTextFileSync(place));
    const files = texts.map((text, index) =>
      probed(text, { path: paths[index] as string, id: String(index), moduleUrl })
    );
    files.forEach(({ text }, index) => Deno.writeTextFileSync(places[index] as string, text));
    try {
      return await work(new Map(files.map((file, index) => [paths[index] as string, file])));
    } finally {
      texts.forEach((text, index) => Deno.writeTextFileSync(places[index] as string, text));
    }
  }

  /** Runs a test file and tells which probes it met. */
  async trace(path: string, limitMs: number): Promise<{ run: Run; met: ReadonlySet<string> }> {
    await Deno.writeTextFile(this.#notes, "");
    const run = await this.run([path], limitMs);
    const notes = await Deno.readTextFile(this.#notes);
    return { run, met: new Set(notes.split("\n")) };
  }

  /** Calls `work` while one file has the change. */
  async with<T>(mutant: Mutant, work: () => Promise<T>): Promise<T> {
    const place = join(this.#root, mutant.path);
    const text = Deno.readTextFileSync(place);
    await Deno.writeTextFile(place, applied(text, mutant));
    try {
      return await work();
    } finally {
      await Deno.writeTextFile(place, text);
    }
  }

  /** Runs test files in this order up to the first failure; ends them, and what they started. */
  async run(paths: readonly string[], limitMs: number): Promise<Run> {
    const startMs = performance.now();
    const { code, stdout } = await new Deno.Command("timeout", {
      // It leads a group of its own, which it ends.
      args: [
        "--signal=KILL",
        String(Math.ceil(limitMs / 1000)),
        Deno.execPath(),
        ...this.#test(),
        ...paths,
      ],
      cwd: this.#root,
      env: { TMPDIR: join(this.#folder, "t"), NO_COLOR: "1", DENO_NO_UPDATE_CHECK: "1" },
      stdin: "null",
      stderr: "piped",
    }).output();
    const ms = performance.now() - startMs;
    const isLate = code === 137 || code === 124;
    const failed = [...new TextDecoder().decode(stdout).matchAll(/^(.*) => \.\/tests/gm)];
    return {
      kind: code === 0 ? "passed" : (isLate ? "too long" : "failed"),
      ms,
      failed: failed.map((match) => match[1] as string),
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      await Deno.remove(this.#folder, { recursive: true });
    } catch (error) {
      // A test that was ended may have left a mount; the verdicts are worth more than the folder.
      if (error instanceof Deno.errors.NotFound) return;
      this.#report(
        `left behind: ${this.#folder}: ${error instanceof Error ? error.message : error}`,
      );
    }
  }

  #test(): readonly string[] {
    return [
      "test",
      "--config=tests/deno.json",
      "--no-check",
      "--no-prompt",
      "--quiet",
      "--fail-fast",
      "--allow-read",
      "--allow-env",
      "--allow-sys",
      "--allow-run",
      "--allow-net",
      `--allow-write=${this.#folder},/dev/shm`,
    ];
  }
}
