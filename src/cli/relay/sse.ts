/** One server-sent event (WHATWG HTML 9.2). */
export interface ServerSentEvent {
  /** `message` where the stream names none. */
  readonly type: string;
  readonly data: string;
}

/** The most characters of one event; a stream that sends more is not ours. */
const MAX_EVENT_CHARS = 1024 * 1024;

/**
 * The events of a stream, which ends the iteration when it ends.
 *
 * @throws RangeError when an event is too long.
 */
export async function* serverSentEvents(
  stream: ReadableStream<Uint8Array>,
): AsyncGenerator<ServerSentEvent> {
  const decoder = new TextDecoder();
  let pending = "";
  for await (const chunk of stream) {
    pending += decoder.decode(chunk, { stream: true });
    const blocks = pending.split("\n\n");
    pending = blocks.pop() ?? "";
    if (pending.length > MAX_EVENT_CHARS) {
      throw new RangeError(`Cannot read events: one is longer than ${MAX_EVENT_CHARS} characters`);
    }
    for (const block of blocks) {
      const event = eventOf(block);
      if (event !== null) yield event;
    }
  }
}

/** Null for blocks without data, such as heartbeats. */
function eventOf(block: string): ServerSentEvent | null {
  let type = "message";
  const data: string[] = [];
  for (const line of block.split("\n")) {
    const [, field, value = ""] = /^([a-z]+):? ?(.*)$/.exec(line) ?? [];
    if (field === "event") type = value;
    else if (field === "data") data.push(value);
  }
  return data.length === 0 ? null : { type, data: data.join("\n") };
}
