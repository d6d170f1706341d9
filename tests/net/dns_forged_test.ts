import { assertEquals } from "@std/assert";
import { createSocket } from "node:dgram";
import { decode, encode } from "dns-packet";
import { createResolver } from "../../src/net/resolver.ts";

interface Forgery {
  readonly id?: number;
  readonly name?: string;
}

/** What a resolver believes that is sent forged answers before the true one. */
async function believed(forgeries: readonly Forgery[]): Promise<string> {
  const socket = createSocket("udp4");
  await new Promise<void>((resolve) => socket.bind(0, "127.0.0.1", resolve));
  socket.on("message", (bytes, { port, address }) => {
    const { id = 0, questions = [] } = decode(bytes);
    const name = questions[0]?.name ?? "";
    const send = (
      { id: otherId = 0, name: other = name }: Forgery,
      text: string,
    ) =>
      socket.send(
        encode({
          type: "response",
          id: (id + otherId) % 65_536,
          flags: 0,
          questions: questions.map((question) => ({ ...question, name: other })),
          answers: [{ name: other, type: "TXT", ttl: 60, data: [text] }],
        }),
        port,
        address,
      );
    for (const forgery of forgeries) send(forgery, "forged");
    send({}, "true");
  });
  using resolver = createResolver({
    servers: [`127.0.0.1:${socket.address().port}`],
    timeoutMs: 5000,
    attempts: 1,
    hosts: new Map(),
  });
  const answer = await resolver.txt("dest.example");
  await new Promise<void>((resolve) => socket.close(() => resolve()));
  return answer.kind === "found" ? answer.records.join() : answer.kind;
}

const FORGERIES: readonly [string, Forgery][] = [
  ["another id", { id: 1 }],
  ["an id with its octets swapped", { id: 256 }],
  ["another name", { name: "other.example" }],
];
for (const [name, forgery] of FORGERIES) {
  Deno.test(`an answer with ${name} is passed over`, async () => {
    assertEquals(await believed([forgery, forgery]), "true");
  });
}
