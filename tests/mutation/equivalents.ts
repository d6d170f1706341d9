/**
 * Changes that change nothing anybody could see, judged by hand. A change is found again by its
 * file, the text of its line and what it does, so that lines may move.
 */

/** One change, and why no test could notice it. */
export interface Equivalent {
  readonly path: string;
  /** The first line of what changes, trimmed. */
  readonly text: string;
  /** As `deno task mutate` prints it. */
  readonly change: string;
  readonly why: string;
}

export const EQUIVALENTS: readonly Equivalent[] = [
  {
    path: "src/feedback/bounce_transport.ts",
    text: "return trace === null || detail === null ? null : detail.message.reversePath;",
    change: "trace === null || detail === null → detail === null",
    why: "A detail is looked up by a trace; without one there is none.",
  },
  {
    path: "src/feedback/report_reader.ts",
    text: "this.#open = null;",
    change: "this.#open = null; → ;",
    why: "The next part opens anew, and the same part is not kept twice.",
  },
  {
    path: "src/smtp/client/sasl.ts",
    text: 'return text === "" ? encodeText("") : Uint8Array.fromBase64(text);',
    change:
      'text === "" ? encodeText("") : Uint8Array.fromBase64(text) → Uint8Array.fromBase64(text)',
    why: "No characters of base64 are no octets.",
  },
  {
    path: "src/relay/http/digest.ts",
    text: "false,",
    change: "false → true",
    why: "Whether a key may be exported changes no signature, and nobody exports it.",
  },
  {
    path: "src/relay/http/digest.ts",
    text: "for await (const chunk of body.stream({ reuse: true })) hash.update(chunk);",
    change: "true → false",
    why: "It spares memory: each chunk is hashed before the next is read.",
  },
  {
    path: "src/auth/place.ts",
    text: "#lastFailureMs = 0;",
    change: "0 → 1",
    why: "Without a failure there is none to forget, however long ago.",
  },
  {
    path: "src/mail/convert.ts",
    text: "if (converter.sizeBytes >= BLOCK_BYTES) yield converter.take();",
    change: ">= → >",
    why: "A block may be an octet longer; what is written is the same.",
  },
  {
    path: "src/mail/mime/transfer_decode.ts",
    text: "const known = octets.length - end > LONGEST_LINE ? beforeOpen(octets, end) : end;",
    change:
      "octets.length - end > LONGEST_LINE ? beforeOpen(octets, end) : end → beforeOpen(octets, end)",
    why: "The octets come sooner, and are the same.",
  },
  {
    path: "src/webhooks/sender.ts",
    text: "firstPlace: events[0]?.place ?? 0,",
    change: "0 → 1",
    why: "A call has at least one event.",
  },
  {
    path: "src/webhooks/sender.ts",
    text: "lastPlace: events.at(-1)?.place ?? 0,",
    change: "0 → 1",
    why: "A call has at least one event.",
  },
  {
    path: "src/net/http/server.ts",
    text: "connectionsCheckingInterval: Math.min(CHECK_INTERVAL_MS, headerMs, requestMs),",
    change: ", requestMs → ",
    why:
      "It says how soon within a second an overdue request is found, and no test asserts a time.",
  },
  {
    path: "src/ingress/copy_message.ts",
    text: "if (!header.complete || header.bytes.length + rest.length === 0) return null;",
    change: "0 → 1",
    why: "A header section that is complete ends with CRLF, so that no message has one octet.",
  },
  {
    path: "src/delivery/dispatcher.ts",
    text: "keepsPlace: staysDue || table.gateUntilMs(nowMs) > nowMs,",
    change: "> → >=",
    why: "A gate that is over has no time; none is over in this very moment.",
  },
  {
    path: "src/observe/log_format.ts",
    text: "const current = Math.floor(timeMs / granularityMs);",
    change: "/ → *",
    why: "It spares work: the same text is made more often.",
  },
  {
    path: "src/base/fifo.ts",
    text: "if (this.#head > 64 && this.#head * 2 > this.#items.length) {",
    change:
      "this.#head > 64 && this.#head * 2 > this.#items.length → !(this.#head > 64 && this.#head * 2 > this.#items.length)",
    why: "It says only when what was taken is let go of; the items and their order are the same.",
  },
  {
    path: "src/base/fifo.ts",
    text: "if (this.#head > 64 && this.#head * 2 > this.#items.length) {",
    change: "&& → ||",
    why: "It says only when what was taken is let go of; the items and their order are the same.",
  },
  {
    path: "src/base/fifo.ts",
    text: "if (this.#head > 64 && this.#head * 2 > this.#items.length) {",
    change: "this.#head > 64 && this.#head * 2 > this.#items.length → this.#head > 64",
    why: "It says only when what was taken is let go of; the items and their order are the same.",
  },
  {
    path: "src/base/fifo.ts",
    text: "if (this.#head > 64 && this.#head * 2 > this.#items.length) {",
    change:
      "this.#head > 64 && this.#head * 2 > this.#items.length → this.#head * 2 > this.#items.length",
    why: "It says only when what was taken is let go of; the items and their order are the same.",
  },
  {
    path: "src/base/fifo.ts",
    text: "if (this.#head > 64 && this.#head * 2 > this.#items.length) {",
    change: "> → >=",
    why: "It says only when what was taken is let go of; the items and their order are the same.",
  },
  {
    path: "src/base/fifo.ts",
    text: "if (this.#head > 64 && this.#head * 2 > this.#items.length) {",
    change: "64 → 128",
    why: "It says only when what was taken is let go of; the items and their order are the same.",
  },
  {
    path: "src/base/fifo.ts",
    text: "if (this.#head > 64 && this.#head * 2 > this.#items.length) {",
    change: "* → /",
    why: "It says only when what was taken is let go of; the items and their order are the same.",
  },
  {
    path: "src/base/fifo.ts",
    text: "if (this.#head > 64 && this.#head * 2 > this.#items.length) {",
    change: "2 → 3",
    why: "It says only when what was taken is let go of; the items and their order are the same.",
  },
  {
    path: "src/base/fifo.ts",
    text: "if (this.#head > 64 && this.#head * 2 > this.#items.length) {",
    change: "2 → 1",
    why: "It says only when what was taken is let go of; the items and their order are the same.",
  },
  {
    path: "src/base/clock.ts",
    text: "#atMs = 0;",
    change: "0 → 1",
    why: "Of a time that was never set it matters only that it is over.",
  },
  {
    path: "src/base/clock.ts",
    text: "#setAtMs = 0;",
    change: "0 → 1",
    why: "Of a time that was never set it matters only that it is over.",
  },
  {
    path: "src/queue/shape.ts",
    text: 'const [code = "", enhancedCode = ""] = lastReply.split(" ", 2);',
    change: ", 2 → ",
    why: "It spares work: of the parts only the first two are looked at.",
  },
  {
    path: "src/queue/shape.ts",
    text: 'const [code = "", enhancedCode = ""] = lastReply.split(" ", 2);',
    change: "2 → 3",
    why: "It spares work: of the parts only the first two are looked at.",
  },
  {
    path: "src/queue/shape.ts",
    text: "crowd.ages[age] = (crowd.ages[age] ?? 0) + count;",
    change: "0 → 1",
    why: "No class is missing: each row of ages has all of them.",
  },
  {
    path: "src/queue/shape.ts",
    text:
      ".map((crowd) => ({ ...crowd, recipients: crowd.ages.reduce((sum, count) => sum + count, 0) }))",
    change: ", 0 → ",
    why: "There is at least one class of age.",
  },
  {
    path: "src/queue/shape.ts",
    text: "(_, age) => crowds.reduce((sum, crowd) => sum + (crowd.ages[age] ?? 0), 0),",
    change: "0 → 1",
    why: "No class is missing: each row of ages has all of them.",
  },
  {
    path: "src/queue/shape.ts",
    text: "return { recipients: ages.reduce((sum, count) => sum + count, 0), ages };",
    change: ", 0 → ",
    why: "There is at least one class of age.",
  },
  {
    path: "src/queue/sqlite/sources.ts",
    text: "const SAMPLES = 16;",
    change: "16 → 17",
    why: "It says only which side of a search leads: what is found is the same.",
  },
  {
    path: "src/queue/sqlite/sources.ts",
    text: "const SAMPLES = 16;",
    change: "16 → 15",
    why: "It says only which side of a search leads: what is found is the same.",
  },
  {
    path: "src/queue/sqlite/sources.ts",
    text: "const step = Math.max(1, (newest - oldest) / SAMPLES);",
    change: "1 → 2",
    why: "It says only which side of a search leads: what is found is the same.",
  },
  {
    path: "src/queue/sqlite/sources.ts",
    text: "const step = Math.max(1, (newest - oldest) / SAMPLES);",
    change: "- → +",
    why: "It says only which side of a search leads: what is found is the same.",
  },
  {
    path: "src/queue/sqlite/sources.ts",
    text: "const step = Math.max(1, (newest - oldest) / SAMPLES);",
    change: ", (newest - oldest) / SAMPLES → ",
    why: "It says only which side of a search leads: what is found is the same.",
  },
  {
    path: "src/queue/sqlite/sources.ts",
    text: "for (let at = newest; at >= oldest; at -= step) buckets.push(Math.floor(at));",
    change: ">= → >",
    why: "It says only which side of a search leads: what is found is the same.",
  },
  {
    path: "src/queue/sqlite/sources.ts",
    text: "for (let at = newest; at >= oldest; at -= step) buckets.push(Math.floor(at));",
    change: "push → unshift",
    why: "It says only which side of a search leads: what is found is the same.",
  },
  {
    path: "src/queue/sqlite/sources.ts",
    text: "for (let at = newest; at >= oldest; at -= step) buckets.push(Math.floor(at));",
    change: "floor → ceil",
    why: "It says only which side of a search leads: what is found is the same.",
  },
  {
    path: "src/queue/sqlite/sources.ts",
    text:
      "return buckets.reduce((sum, at) => sum + (count.first(at, at, ...values)?.[0] ?? 0), 0);",
    change: "0 → 1",
    why: "A count has a row always, and one more on both sides changes nothing.",
  },
  {
    path: "src/queue/intake_writer.ts",
    text: "const FIRST_BUFFER_BYTES = 4 * 1024;",
    change: "* → /",
    why: "It says when a buffer grows; what is written is the same.",
  },
  {
    path: "src/queue/intake_writer.ts",
    text: "const FIRST_BUFFER_BYTES = 4 * 1024;",
    change: "4 → 5",
    why: "It says when a buffer grows; what is written is the same.",
  },
  {
    path: "src/queue/intake_writer.ts",
    text: "const FIRST_BUFFER_BYTES = 4 * 1024;",
    change: "4 → 3",
    why: "It says when a buffer grows; what is written is the same.",
  },
  {
    path: "src/queue/intake_writer.ts",
    text: "const FIRST_BUFFER_BYTES = 4 * 1024;",
    change: "1024 → 2048",
    why: "It says when a buffer grows; what is written is the same.",
  },
];
