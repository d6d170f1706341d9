import { assertEquals } from "@std/assert";
import { parseMailbox } from "../../src/mail/address.ts";
import { formatReply } from "../../src/mail/reply.ts";
import { decideUserSender } from "../../src/policy/user_sender.ts";

function decide(senders: readonly string[] | null, sender: string): string {
  const parsed = parseMailbox(sender);
  const mailbox = parsed.kind === "ok" ? parsed.mailbox : null;
  const decision = decideUserSender({ name: "alice", senders }, mailbox);
  return decision.kind === "accept" ? "accept" : formatReply(decision.reply);
}

const ALLOWED: readonly (readonly [readonly string[] | null, string])[] = [
  [null, "anybody@example.org"],
  [null, ""],
  [["*"], ""],
  [["*"], "anybody@example.org"],
  [["alice@example.net"], "Alice@EXAMPLE.net"],
  [["Alice@Example.NET"], "alice@example.net"],
  [["*@example.net"], "x@example.net"],
  [["*@*.example.net"], "x@a.b.example.net"],
  [["alice+*@example.net"], "alice+list@example.net"],
  [["x@y.example", "alice@example.net"], "alice@example.net"],
  [[""], ""],
  [["alice@bücher.example"], "alice@xn--bcher-kva.example"],
  [["a b@example.net"], `"a b"@example.net`],
  [["a@b@example.net"], `"a@b"@example.net`],
  [["ALICE+*@*.Example.NET"], "Alice+X@a.example.net"],
];

for (const [senders, sender] of ALLOWED) {
  Deno.test(`${JSON.stringify(senders)} allows <${sender}>`, () => {
    assertEquals(decide(senders, sender), "accept");
  });
}

const REFUSED: readonly (readonly [readonly string[], string])[] = [
  [[], "alice@example.net"],
  [["alice@example.net"], "bob@example.net"],
  [["alice@example.net"], ""],
  [["*@example.net"], "x@sub.example.net"],
  [["*@example.net"], `"x@example.net"@evil.example`],
  [["*@*.example.net"], "x@example.net"],
  [["*example.net"], "x@example.net"],
  [[""], "alice@example.net"],
  [["", "bob@example.net"], "alice@example.net"],
  [["alice"], "alice@example.net"],
  [["@example.net"], "alice@example.net"],
];

for (const [senders, sender] of REFUSED) {
  Deno.test(`${JSON.stringify(senders)} refuses <${sender}>`, () => {
    assertEquals(
      decide(senders, sender),
      "553 5.7.1 Sender address not allowed for this user",
    );
  });
}

Deno.test("a user who is gone may send nothing", () => {
  const decision = decideUserSender(null, null);
  assertEquals(
    decision.kind === "refuse" && [formatReply(decision.reply), decision.cause],
    ["550 5.7.1 Not authorized to send", "the user does not exist any more"],
  );
});

Deno.test("the log names the user whose sender is refused", () => {
  const decision = decideUserSender({ name: "alice", senders: [] }, null);
  assertEquals(
    decision.kind === "refuse" && decision.cause,
    `the sender is not among those of user "alice"`,
  );
});
