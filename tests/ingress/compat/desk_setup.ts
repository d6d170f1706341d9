import { concatBytes, decodeText } from "../../../src/base/bytes.ts";
import { seededRandom } from "../../../src/base/random.ts";
import { createCompatApp } from "../../../src/ingress/compat/app.ts";
import type { SendingKey } from "../../../src/ingress/compat/desk.ts";
import type { BatchResult, BatchSubmission } from "../../../src/ingress/submission.ts";
import type { RelayEvent } from "../../../src/observe/events.ts";
import { ManualClock } from "../../support/manual_clock.ts";

/** A message that was handed in, with its octets. */
export interface HandedIn {
  readonly from: string;
  readonly to: readonly string[];
  readonly text: string;
  readonly holdUntilMs: number | undefined;
  readonly smtpUtf8: boolean | undefined;
}

export const KEY: SendingKey = { id: "key1", name: "app", send: true, senders: ["*@shop.test"] };
export const CLIENT = "192.0.2.7";
/** When everything happens. */
export const NOW_MS = Date.UTC(2026, 0, 1);

/** The interfaces of providers over a submitter that answers what a test says. */
export class CompatBench {
  readonly clock = new ManualClock(NOW_MS);
  readonly events: RelayEvent[] = [];
  readonly requests: Omit<BatchSubmission, "messages">[] = [];
  readonly messages: HandedIn[] = [];
  /** The next answers of the submitter; when there is none everything is queued. */
  readonly answers: (BatchResult | Error)[] = [];
  readonly failures: string[] = [];
  /** Addresses that have to wait. */
  readonly barred = new Set<string>();
  /** What happens while a secret is checked. */
  onVerify: () => void = () => {};
  key: SendingKey = KEY;
  messageBytes = 1000;
  readonly #app = createCompatApp({
    submitter: {
      limits: {
        ...{ hostname: "relay.test", messageBytes: this.messageBytes, recipients: 10 },
        ...{ hops: 10, maxHoldMs: 1000 },
      },
      submitAll: (request) => this.#take(request),
    },
    keys: {
      verify: (secret) => {
        this.onVerify();
        return Promise.resolve(secret === "good" ? this.key : null);
      },
      sharedSecret: (name) => name === this.key.name ? { key: this.key, secret: "good" } : null,
    },
    failures: {
      waitMs: (address) => this.barred.has(address) ? 1 : 0,
      fail: (address) => this.failures.push(address),
    },
    clock: this.clock,
    random: seededRandom(1),
    events: (event) => this.events.push(event),
  });

  /** Asks as a client whose address is `CLIENT`. */
  async ask(path: string, init: RequestInit = {}): Promise<{ response: Response; body: unknown }> {
    const peer = { kind: "tcp", address: CLIENT };
    const response = await this.#app.request(`http://relay.test/compat${path}`, {
      ...{ method: "POST", ...init },
    }, { peer });
    const text = await response.text();
    return { response, body: isJson(response) ? JSON.parse(text) : text };
  }

  async #take({ messages, ...request }: BatchSubmission): Promise<BatchResult> {
    const answer = this.answers.shift();
    if (answer instanceof Error) throw answer;
    this.requests.push(request);
    const handedIn: HandedIn[] = [];
    for (const { message, from, to, holdUntilMs, smtpUtf8 } of messages) {
      const octets = message instanceof Uint8Array
        ? message
        : concatBytes(await Array.fromAsync(message));
      handedIn.push({ from, to, holdUntilMs, smtpUtf8, text: decodeText(octets) });
    }
    this.messages.push(...handedIn);
    const ids = messages.map((_, index) => `ID${index}`);
    return answer ?? { kind: "queued", ids, repeated: false };
  }
}

function isJson(response: Response): boolean {
  return response.headers.get("content-type")?.startsWith("application/json") === true;
}
