import { assert, assertEquals } from "@std/assert";
import { type Meaning, meaningOf } from "../../src/feedback/meaning.ts";
import { readInPieces, reportOctets } from "./corpus.ts";

/** What each report means: kind, names and reason of its findings. */
const REPORTS: Readonly<Record<string, readonly string[]>> = {
  // RFC 3464 appendix D
  rfc3464_simple: [
    "bounce",
    "soft_bounced louisl@larry.slip.umd.edu: 4.0.0 426 connection timed out",
  ],
  rfc3464_multiple: [
    "bounce",
    "soft_bounced arathib@vnet.ibm.com: 5.0.0 550 'arathib@vnet.IBM.COM' is not a registered " +
    "gateway user (vnet.ibm.com)",
    "deferred johnh@hpnjld.njd.hp.com: 4.0.0 delayed",
    "bounced wsnell@sdcc13.ucsd.edu: 5.0.0 550 user unknown (sdcc13.ucsd.edu)",
  ],
  rfc3464_gateway: ["bounce", "soft_bounced : 5.0.0 failed"],
  rfc3464_delayed: [
    "bounce",
    "deferred thomas@de-montfort.ac.uk: 4.0.0 delayed",
  ],
  // RFC 5965 appendix B
  rfc5965_minimal: ["complaint", "complained : abuse (SomeGenerator/1.0)"],
  rfc5965_full: [
    "complaint",
    "complained user@example.com: abuse (SomeGenerator/1.0)",
  ],
  rfc6533_international: [
    "bounce",
    "bounced 用户@例子.公司: 550 5.1.1 no such user",
  ],
  opensmtpd: [
    "bounce",
    "bounced gone@dest.test: 550 5.1.1 <gone@dest.test> No such user here",
  ],
  qmail: [
    "bounce",
    "bounced gone@dest.test: Remote host said: 550 5.1.1 <gone@dest.test>... User unknown",
  ],
  exim_plain: [
    "bounce",
    "bounced gone@dest.test: host mx.dest.test [192.0.2.1]: 550 Unknown user",
  ],
  exchange_plain: [
    "bounce",
    "bounced gone@dest.test: MSEXCH:IMS:X:Y:Z 0 (000C05A6) Unknown Recipient",
  ],
  sendmail_warning: [
    "bounce",
    "deferred slow@dest.test: 451 4.4.1 dest.test: timeout during connect",
  ],
  microsoft_junk: ["complaint", "complained grumpy@hotmail.com: abuse"],
  absence: ["reply"],
};

function shown(meaning: Meaning): string[] {
  const findings = "findings" in meaning ? meaning.findings : [];
  return [
    meaning.kind,
    ...findings.map(({ kind, names, reason }) => `${kind} ${names.join(" ")}: ${reason}`),
  ];
}

for (const [name, expected] of Object.entries(REPORTS)) {
  Deno.test(`report ${name} is understood, however it comes`, async () => {
    for (const lineEnd of ["\r\n", "\n"]) {
      const octets = await reportOctets(name, { lineEnd });
      for (const sizeBytes of [octets.length, 1, 7, 64]) {
        const parts = await readInPieces(octets, sizeBytes);
        assertEquals(
          shown(meaningOf(parts)),
          [...expected],
          `in pieces of ${sizeBytes}`,
        );
      }
    }
  });
}

/** A notification with these fields for its one recipient. */
async function meaningOfFields(fields: readonly string[]): Promise<string[]> {
  const text = [
    'Content-Type: multipart/report; boundary="b"',
    ...["", "--b", "Content-Type: message/delivery-status", ""],
    ...[
      "Reporting-MTA: dns; mx.test",
      "",
      "Final-Recipient: rfc822; a@b.test",
      ...fields,
    ],
    ...["", "--b--", ""],
  ].join("\r\n");
  return shown(meaningOf(await readInPieces(new TextEncoder().encode(text))))
    .slice(1);
}

const SAID: readonly (readonly [kind: string, status: string, diagnostic: string])[] = [
  ["bounced", "5.1.1", "smtp; 550 5.1.1 whatever it says"],
  ["bounced", "5.0.0", "smtp; 550 5.1.1 whatever it says"],
  [
    "bounced",
    "5.7.1",
    "smtp; 550 5.7.1 <a@b.test>: Recipient address rejected: User unknown",
  ],
  [
    "bounced",
    "5.4.1",
    "smtp; 550 5.4.1 Recipient address rejected: Access denied.",
  ],
  [
    "bounced",
    "5.4.4",
    "X-Postfix; Host or domain name not found. Name service error",
  ],
  [
    "bounced",
    "5.2.1",
    "smtp; 550 5.2.1 The email account that you tried to reach is disabled.",
  ],
  [
    "soft_bounced",
    "5.2.1",
    "smtp; 550-5.2.1 The user is receiving mail at a rate that prevents",
  ],
  ["soft_bounced", "5.2.2", "smtp; 552 5.2.2 Mailbox full"],
  [
    "soft_bounced",
    "5.1.1",
    "smtp; 552 sorry, mailbox is over quota temporarily (#5.1.1)",
  ],
  [
    "soft_bounced",
    "5.7.1",
    "smtp; 554 5.7.1 Client host blocked using a block list",
  ],
  ["soft_bounced", "5.0.0", "smtp; 550 no such luck"],
  [
    "soft_bounced",
    "5.1.8",
    "smtp; 553 5.1.8 Domain of sender address does not exist",
  ],
  ["soft_bounced", "4.4.7", "smtp; 550 4.4.7 QUEUE.Expired; message expired"],
  ["soft_bounced", "5.6.0", "smtp; 554 5.6.0 Message contains a virus"],
];

Deno.test("what a failure means follows from its most telling word", async () => {
  for (const [kind, status, diagnostic] of SAID) {
    const found = await meaningOfFields([
      ...[
        "Action: failed (for good)",
        `Status: ${status}`,
        `Diagnostic-Code: ${diagnostic}`,
      ],
    ]);
    assert(
      found[0]?.startsWith(`${kind} `),
      `${status} ${diagnostic}: ${found[0]}`,
    );
  }
});

Deno.test("what says nothing of the mailbox is no finding", async () => {
  assertEquals(await meaningOfFields(["Action: relayed", "Status: 2.0.0"]), []);
  assertEquals(
    await meaningOfFields(["Action: expanded", "Status: 2.0.0"]),
    [],
  );
  assertEquals(await meaningOfFields(["Action: delivered", "Status: 2.0.0"]), [
    "delivered a@b.test: 2.0.0 delivered",
  ]);
});

Deno.test("other types of feedback are for people", async () => {
  const octets = await reportOctets("rfc5965_minimal");
  for (const type of ["not-spam", "auth-failure", "other"]) {
    const text = new TextDecoder().decode(octets).replace(
      "Type: abuse",
      `Type: ${type}`,
    );
    const parts = await readInPieces(new TextEncoder().encode(text));
    assertEquals(meaningOf(parts).kind, "unclear");
  }
});

Deno.test("a bounce that brings back a large message is read no further than it must", async () => {
  const octets = await reportOctets("rfc3464_simple");
  const [start = "", end = ""] = new TextDecoder().decode(octets).split(
    "[original message",
  );
  const encoder = new TextEncoder();
  let readBytes = 0;
  async function* large(): AsyncGenerator<Uint8Array> {
    yield encoder.encode(`${start}Subject: hello\r\nX-Mark: here\r\n\r\n`);
    const chunk = encoder.encode("x".repeat(62) + "\r\n").slice();
    for (; readBytes < 50 * 1024 * 1024; readBytes += chunk.length) {
      yield await Promise.resolve(chunk);
    }
    yield encoder.encode(end);
  }
  const { readReport } = await import("../../src/feedback/report_reader.ts");
  const parts = await readReport(large());
  assertEquals(shown(meaningOf(parts)).length, 2);
  assert(
    new TextDecoder().decode(parts.returned ?? undefined).includes(
      "X-Mark: here",
    ),
  );
  assert(readBytes < 1024);
});
