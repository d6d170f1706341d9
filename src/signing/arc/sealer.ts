import { encodeText } from "../../base/bytes.ts";
import type { Clock } from "../../base/clock.ts";
import type { Gate } from "../../base/gate.ts";
import { headerSection } from "../../mail/headers.ts";
import { BodyHash } from "../body_hash.ts";
import { fieldValue, type MessageHeader } from "../header_canon.ts";
import type { DkimKey } from "../keys.ts";
import type { SigningWork } from "../stream.ts";
import { parseTags } from "../tags.ts";
import { BodyHashes } from "../verify/body_hashes.ts";
import { type DkimResult, startDkimChecks } from "../verify/dkim_check.ts";
import { lookupsOfMessage, type TxtLookup } from "../verify/public_key.ts";
import { makeArcSet, type SetFacts } from "./arc_set.ts";
import { type ChainResult, startChainCheck } from "./chain.ts";
import { formatMethodResult, type MethodResult } from "./method_result.ts";
import { arcSets } from "./sets.ts";

/** What sealing needs. */
export interface SealerOptions {
  readonly key: DkimKey;
  /** The name of whoever states the results (RFC 8601 section 2.5). */
  readonly authservId: string;
  readonly clock: Clock;
  readonly txt: TxtLookup;
  /** Lets only so many signatures be made at once, so that others have time, too. */
  readonly gate: Gate;
}

/** What is known of a message besides its octets. */
export interface SealFacts {
  /** The address it came from, without brackets; empty for none. */
  readonly clientAddress: string;
  /** Results of other methods, given what became of the DKIM signatures. */
  readonly others: (
    header: MessageHeader,
    dkim: readonly DkimResult[],
  ) => Promise<readonly MethodResult[]>;
}

/** Adds ARC sets to messages (RFC 8617). */
export class ArcSealer {
  readonly #options: SealerOptions;

  constructor(options: SealerOptions) {
    this.#options = options;
  }

  /** Starts on a message that comes in: checks its signatures and its chain, then seals it. */
  work(header: MessageHeader, facts: SealFacts): SigningWork {
    const { clock } = this.#options;
    const txt = lookupsOfMessage(this.#options.txt);
    const bodies = new BodyHashes();
    const own = bodies.want({ form: "relaxed", limitBytes: null });
    const checkDkim = startDkimChecks(header, { bodies, txt, nowMs: clock.now() });
    const checkChain = startChainCheck(header, { bodies, txt });
    return {
      write: (chunk) => bodies.write(chunk),
      finish: async () => {
        const [dkim, chain] = await Promise.all([checkDkim(), checkChain()]);
        if (chain.nextInstance === null) return "";
        const methods = [
          ...dkimMethods(dkim),
          ...await facts.others(header, dkim),
          arcMethod(chain, facts),
        ];
        const { status: cv, sets, nextInstance: instance } = chain;
        const results = this.#resultsField(instance, methods);
        return await this.#seal({ header, bodyHash: own.end() ?? "", instance, cv, sets, results });
      },
    };
  }

  /**
   * Starts to seal another form of a message that was sealed before: what was found out then stays.
   * Null when it was not sealed.
   *
   * @param earlier the fields that were made then.
   */
  again(header: MessageHeader, earlier: string): SigningWork | null {
    const known = knownSet(earlier);
    if (known === null) return null;
    const body = new BodyHash();
    const sets = known.cv === "pass" ? arcSets(header).sets ?? [] : [];
    return {
      write: (chunk) => body.write(chunk),
      finish: () => this.#seal({ header, bodyHash: body.end() ?? "", sets, ...known }),
    };
  }

  #seal(facts: Omit<SetFacts, "key" | "nowMs">): Promise<string> {
    const { key, clock, gate } = this.#options;
    return gate.run(() => makeArcSet({ ...facts, key, nowMs: clock.now() }));
  }

  #resultsField(instance: number, methods: readonly MethodResult[]): string {
    const first = `ARC-Authentication-Results: i=${instance}; ${this.#options.authservId}`;
    return `${[first, ...methods.map(formatMethodResult)].join(";\r\n\t")}\r\n`;
  }
}

function dkimMethods(results: readonly DkimResult[]): MethodResult[] {
  if (results.length === 0) {
    return [{ method: "dkim", result: "none", reason: "", properties: [] }];
  }
  return results.map(({ verdict, reason, domain, selector, algorithm, signature }) => ({
    ...{ method: "dkim", result: verdict, reason },
    properties: domain === "" ? [] : [
      ["header.d", domain],
      ["header.s", selector],
      ["header.a", algorithm],
      ["header.b", signature],
    ],
  }));
}

function arcMethod({ status, reason }: ChainResult, { clientAddress }: SealFacts): MethodResult {
  return {
    ...{ method: "arc", result: status, reason },
    properties: clientAddress === "" ? [] : [["smtp.remote-ip", clientAddress]],
  };
}

/** What stays of a set when it is made anew. */
function knownSet(fields: string): Pick<SetFacts, "instance" | "cv" | "results"> | null {
  const bytes = encodeText(fields);
  const section = headerSection(bytes);
  const find = (wanted: string) => section.fields.find(({ name }) => name === wanted);
  const seal = find("ARC-Seal");
  const results = find("ARC-Authentication-Results");
  if (seal === undefined || results === undefined) return null;
  const tags = parseTags(fieldValue(bytes, seal));
  const cv = tags?.get("cv");
  if (cv !== "none" && cv !== "pass" && cv !== "fail") return null;
  const text = fields.slice(results.start, results.valueEnd);
  return { instance: Number(tags?.get("i")), cv, results: `${text}\r\n` };
}
