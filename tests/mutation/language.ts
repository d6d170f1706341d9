/** The sources as TypeScript's own compiler sees them: syntax, types, and what it would refuse. */
import { dirname, join } from "node:path";
import ts from "typescript";

const OPTIONS: ts.CompilerOptions = {
  strict: true,
  noImplicitOverride: true,
  noUncheckedIndexedAccess: true,
  exactOptionalPropertyTypes: true,
  useUnknownInCatchVariables: true,
  noEmit: true,
  allowImportingTsExtensions: true,
  skipLibCheck: true,
  jsx: ts.JsxEmit.Preserve,
  target: ts.ScriptTarget.ESNext,
  module: ts.ModuleKind.ESNext,
  moduleResolution: ts.ModuleResolutionKind.Bundler,
  lib: ["lib.esnext.d.ts"],
  types: [],
};

/** A compiler over the files below `root`; modules from npm are of type any. */
export class Language {
  readonly #service: ts.LanguageService;
  readonly #changed = new Map<string, { version: number; text: string }>();
  readonly #known = new Map<string, readonly string[]>();

  private constructor(paths: readonly string[]) {
    this.#service = ts.createLanguageService(this.#host(paths));
  }

  /** Reads every file at `paths` and what they import. */
  static async open(paths: readonly string[], { scratch }: { scratch: string }): Promise<Language> {
    const types = join(scratch, "deno.d.ts");
    const { stdout } = await new Deno.Command(Deno.execPath(), { args: ["types"] }).output();
    await Deno.writeFile(types, stdout);
    return new Language([...paths, types]);
  }

  /** The program and its checker, over the files as they stand on disk. */
  program(): ts.Program {
    const program = this.#service.getProgram();
    if (program === undefined) throw new Error("Cannot read the sources: TypeScript has none");
    return program;
  }

  /** Whether the file would have a type error with this text that it has not now. */
  refuses(path: string, text: string): boolean {
    const known = this.#known.get(path) ?? this.#errors(path);
    this.#known.set(path, known);
    this.#change(path, text);
    const errors = this.#errors(path);
    this.#change(path, Deno.readTextFileSync(path));
    return errors.length > known.length;
  }

  #errors(path: string): readonly string[] {
    const syntax = this.#service.getSyntacticDiagnostics(path);
    return [...syntax, ...this.#service.getSemanticDiagnostics(path)].map((found) =>
      `${found.code} ${ts.flattenDiagnosticMessageText(found.messageText, " ")}`
    );
  }

  #change(path: string, text: string): void {
    this.#changed.set(path, { version: (this.#changed.get(path)?.version ?? 0) + 1, text });
  }

  #host(paths: readonly string[]): ts.LanguageServiceHost {
    return {
      getScriptFileNames: () => [...paths],
      getScriptVersion: (path) => String(this.#changed.get(path)?.version ?? 0),
      getScriptSnapshot: (path) => {
        const text = this.#changed.get(path)?.text ?? ts.sys.readFile(path);
        return text === undefined ? undefined : ts.ScriptSnapshot.fromString(text);
      },
      getCurrentDirectory: () => "/",
      getCompilationSettings: () => OPTIONS,
      getDefaultLibFileName: (options) => ts.getDefaultLibFilePath(options),
      fileExists: ts.sys.fileExists,
      readFile: ts.sys.readFile,
      resolveModuleNameLiterals: (literals, importer) =>
        literals.map(({ text }) => ({ resolvedModule: resolved(text, importer) })),
    };
  }
}

function resolved(specifier: string, importer: string): ts.ResolvedModuleFull | undefined {
  if (!specifier.startsWith(".")) return undefined;
  const path = join(dirname(importer), specifier);
  const extension = path.endsWith(".tsx") ? ts.Extension.Tsx : ts.Extension.Ts;
  return { resolvedFileName: path, extension, isExternalLibraryImport: false };
}
