import { assertEquals } from "@std/assert";
import { judgeEnvelope, type JudgeRules } from "../../src/ingress/judge.ts";
import type { SubmittedMessage, Submitter } from "../../src/ingress/submission.ts";
import { formatReply, reply } from "../../src/mail/reply.ts";
import { refuse } from "../../src/policy/decision.ts";
import { OPEN_POLICY, type ServerPolicy } from "../../src/reception/policy.ts";

const BY: Submitter = { user: "ada", senders: null, clientAddress: "192.0.2.1" };

async function judge(
  message: Partial<Omit<SubmittedMessage, "message">>,
  { policy = {}, by = {}, rules = {} }: {
    policy?: Partial<ServerPolicy>;
    by?: Partial<Submitter>;
    rules?: Partial<JudgeRules>;
  } = {},
): Promise<unknown> {
  const judged = await judgeEnvelope({ from: "a@x.test", to: ["b@y.test"], ...message }, {
    by: { ...BY, ...by },
    rules: {
      policy: { ...OPEN_POLICY, ...policy },
      ...{ aliases: null, recipients: 3, maxHoldMs: 1000, nowMs: 5000, ...rules },
    },
  });
  if (judged.kind === "accepted") return judged.envelope;
  const { recipients } = judged;
  return recipients === undefined ? formatReply(judged.reply) : [
    formatReply(judged.reply),
    ...recipients.map((one) => `${one.mailbox}: ${formatReply(one.reply)}`),
  ];
}

Deno.test("judge: an envelope of HTTP is that of a message of SMTP", async () => {
  assertEquals(await judge({}), {
    ...{ reversePath: "a@x.test", body: "8BITMIME", smtpUtf8: false },
    recipients: [{ forwardPath: "b@y.test", domain: "y.test" }],
  });
  const held = await judge({ holdUntilMs: 4000 }) as { extras?: unknown };
  assertEquals(held.extras, { holdUntilMs: 4000 });
});

Deno.test("judge: addresses that are none are told by what they were to be", async () => {
  assertEquals(
    String(await judge({ from: "nobody" })).startsWith("501 5.1.7 Bad sender address: "),
    true,
  );
  const [first] = await judge({ to: ["nobody"] }) as string[];
  assertEquals(first?.startsWith("501 5.1.3 Bad recipient address: "), true);
});

Deno.test("judge: no recipients, and one more than there may be", async () => {
  assertEquals(await judge({ to: [] }), "554 5.5.1 No recipients");
  const names = ["b", "c", "d", "e"].map((name) => `${name}@y.test`);
  const full = await judge({ to: names.slice(0, 3) }) as { recipients: unknown[] };
  assertEquals(full.recipients.length, 3);
  const repeated = await judge({ to: [...names.slice(0, 3), "b@Y.test"] });
  assertEquals((repeated as { recipients: unknown[] }).recipients.length, 3);
  assertEquals(await judge({ to: names }), "452 4.5.3 Too many recipients");
});

Deno.test("judge: holding is for those whom the relay trusts, and only so long", async () => {
  const trusts = { policy: { trusts: () => true } };
  assertEquals(
    await judge({ holdUntilMs: 5001 }),
    "550 5.7.1 Holding mail is for those who submit it here",
  );
  assertEquals(
    await judge({ holdUntilMs: 6001 }, trusts),
    "501 5.5.4 The message would be held longer than this server does",
  );
  const held = await judge({ holdUntilMs: 6000 }, trusts) as { extras?: unknown };
  assertEquals(held.extras, { holdUntilMs: 6000 });
  assertEquals(typeof await judge({ holdUntilMs: 5000 }), "object");
});

Deno.test("judge: the policy is asked about this client, this sender and each recipient once", async () => {
  const asked: unknown[] = [];
  const facts = {
    ...{ sessionId: "", listener: "http", clientAddress: "192.0.2.1", clientPort: 0 },
    ...{
      helo: "",
      esmtp: true,
      tls: null,
      user: "ada",
      senderRules: { name: "ada", senders: null },
    },
  };
  await judge({ from: "a@bücher.test", to: ["b@y.test", "c@y.test", "b@y.test"] }, {
    policy: {
      mail: (session, { sender }) => {
        asked.push(["mail", session, sender?.text]);
        return OPEN_POLICY.mail(session, { sender });
      },
      rcpt: (session, { recipient, ...request }) => {
        asked.push(["rcpt", session, recipient.text, request]);
        return OPEN_POLICY.rcpt(session, { recipient, ...request });
      },
    },
  });
  const request = { reversePath: "a@xn--bcher-kva.test", routed: false, alias: false };
  assertEquals(asked, [
    ["mail", facts, "a@bücher.test"],
    ["rcpt", facts, "b@y.test", request],
    ["rcpt", facts, "c@y.test", request],
  ]);
});

Deno.test("judge: the refusals of the policy are the answer", async () => {
  const no = refuse(reply(550, "5.7.1", "No"));
  assertEquals(await judge({}, { policy: { mail: () => no } }), "550 5.7.1 No");
  const rcpt: ServerPolicy["rcpt"] = (_, { recipient }) =>
    recipient.localPart === "b" ? OPEN_POLICY.connect({} as never) : no;
  assertEquals(await judge({ to: ["b@y.test", "c@y.test", "c@y.test"] }, { policy: { rcpt } }), [
    ...["550 5.7.1 No", "c@y.test: 550 5.7.1 No"],
  ]);
});

Deno.test("judge: a key's senders hold before the policy, for its name and for none", async () => {
  const senders = ["*@other.test"];
  const refusal = "553 5.7.1 Sender address not allowed for this user";
  assertEquals(await judge({}, { by: { senders } }), refusal);
  assertEquals(await judge({}, { by: { senders, user: null } }), refusal);
  assertEquals(await judge({ from: "" }, { by: { senders } }), refusal);
  assertEquals(typeof await judge({ from: "a@other.test" }, { by: { senders } }), "object");
});
