import { assertEquals, assertMatch } from "@std/assert";
import { decodeText, encodeText } from "../../../src/base/bytes.ts";
import { seededRandom } from "../../../src/base/random.ts";
import { haveDkimPy, signWithDkimPy } from "../../support/dkim_peers.ts";
import { AWKWARD_MESSAGES, sampleMessage } from "../../support/sample_messages.ts";
import { CLOCK, dnsOf, makeKey, recordsOf, verify } from "../verify_setup.ts";

/** The example of RFC 6376 appendix A.2 with the key of A.3. */
const RFC_6376 = [
  "DKIM-Signature: v=1; a=rsa-sha256; s=brisbane; d=example.com;",
  "      c=simple/simple; q=dns/txt; i=joe@football.example.com;",
  "      h=Received : From : To : Subject : Date : Message-ID;",
  "      bh=2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8=;",
  "      b=AuUoFEfDxTDkHlLXSZEpZj79LICEps6eda7W3deTVFOk4yAUoqOB",
  "      4nujc7YopdG5dWLSdNg6xNAZpOPr+kHxt1IrE+NahM6L/LbvaHut",
  "      KVdkLLkpVaVVQPzeRDI009SO2Il5Lu7rDNH6mZckBdrIx0orEtZV",
  "      4bmp/YzhwvcubU4=;",
  "Received: from client1.football.example.com  [192.0.2.1]",
  "      by submitserver.example.com with SUBMISSION;",
  "      Fri, 11 Jul 2003 21:01:54 -0700 (PDT)",
  "From: Joe SixPack <joe@football.example.com>",
  "To: Suzie Q <suzie@shopping.example.net>",
  "Subject: Is dinner ready?",
  "Date: Fri, 11 Jul 2003 21:00:37 -0700 (PDT)",
  "Message-ID: <20030712040037.46341.5F8J@football.example.com>",
  ...["", "Hi.", "", "We lost the game. Are you hungry yet?", "", "Joe.", ""],
].join("\r\n");

/** The example of RFC 8463 appendix A.3. */
const RFC_8463 = [
  "DKIM-Signature: v=1; a=ed25519-sha256; c=relaxed/relaxed;",
  " d=football.example.com; i=@football.example.com;",
  " q=dns/txt; s=brisbane; t=1528637909; h=from : to :",
  " subject : date : message-id : from : subject : date;",
  " bh=2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8=;",
  " b=/gCrinpcQOoIfuHNQIbq4pgh9kyIK3AQUdt9OdqQehSwhEIug4D11Bus",
  " Fa3bT3FY5OsU7ZbnKELq+eXdp1Q1Dw==",
  "DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed;",
  " d=football.example.com; i=@football.example.com;",
  " q=dns/txt; s=test; t=1528637909; h=from : to : subject :",
  " date : message-id : from : subject : date;",
  " bh=2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8=;",
  " b=F45dVWDfMbQDGHJFlXUNB2HKfbCeLRyhDXgFpEL8GwpsRe0IeIixNTe3",
  " DhCVlUrSjV4BwcVcOF6+FF3Zo9Rpo1tFOeS9mPYQTnGdaSGsgeefOsk2Jz",
  " dA+L10TeYt9BgDfQNZtKdN1WO//KgIqXP7OdEFE4LjFYNcUxZQ4FADY+8=",
  "From: Joe SixPack <joe@football.example.com>",
  "To: Suzie Q <suzie@shopping.example.net>",
  "Subject: Is dinner ready?",
  "Date: Fri, 11 Jul 2003 21:00:37 -0700 (PDT)",
  "Message-ID: <20030712040037.46341.5F8J@football.example.com>",
  ...["", "Hi.", "", "We lost the game.  Are you hungry yet?", "", "Joe.", ""],
].join("\r\n");

const RFC_KEYS = dnsOf({
  "brisbane._domainkey.example.com":
    "v=DKIM1; p=MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDwIRP/UC3SBsEmGqZ9ZJW3/DkMoGeL" +
    "nQg1fWn7/zYtIxN2SnFCjxOCKG9v3b4jYfcTNh5ijSsq631uBItLa7od+v/RtdC2UzJ1lWT947qR+Rcac2gbto/N" +
    "MqJ0fzfVjH4OuKhitdY9tf6mcwGjaNBcWToIMmPSPDdQPNUYckcQ2QIDAQAB",
  "brisbane._domainkey.football.example.com":
    "v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=",
  "test._domainkey.football.example.com": "v=DKIM1; k=rsa; p=MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQ" +
    "KBgQDkHlOQoBTzWRiGs5V6NpP3idY6Wk08a5qhdR6wy5bdOKb2jLQiY/J16JYi0Qvx/byYzCNb3W91y3FutACDf" +
    "zwQ/BC/e/8uBsCR+yz1Lxj+PL6lHvqMKrM3rG4hstT5QjvHO9PzoxZyVYLzBfO2EeC3Ip3G+2kryOTIKT+l/K4w" +
    "3QIDAQAB",
});

Deno.test("the example of RFC 6376 verifies", async () => {
  const { dkim } = await verify(encodeText(RFC_6376), { txt: RFC_KEYS });
  assertEquals(dkim, [{
    ...{ verdict: "pass", reason: "", domain: "example.com", selector: "brisbane" },
    ...{ algorithm: "rsa-sha256", signature: "AuUoFEfD" },
  }]);
});

Deno.test("both signatures of the example of RFC 8463 verify", async () => {
  const { dkim } = await verify(encodeText(RFC_8463), { txt: RFC_KEYS });
  assertEquals(dkim.map(({ verdict, algorithm }) => `${verdict} ${algorithm}`), [
    "pass ed25519-sha256",
    "pass rsa-sha256",
  ]);
});

const RSA = makeKey("source.test");
const TXT = dnsOf(recordsOf([RSA.key]));
const SIGNER = {
  domain: "source.test",
  selector: "s1",
  key: RSA.pem,
  algorithm: "rsa-sha256",
} as const;
const FORMS = ["simple/simple", "simple/relaxed", "relaxed/simple", "relaxed/relaxed"];
const AWKWARD = ["8-bit text", "white space at the end of lines", "a folded and repeated header"];

for (const forms of FORMS) {
  Deno.test({
    name: `what dkimpy signs verifies, c=${forms} (needs python3-dkim)`,
    ignore: !haveDkimPy,
    async fn() {
      for (const name of AWKWARD) {
        const message = AWKWARD_MESSAGES[name] ?? sampleMessage();
        const signed = await signWithDkimPy(message, { ...SIGNER, forms, length: false });
        const { dkim } = await verify(signed, { txt: TXT });
        assertEquals(dkim.map(({ verdict, reason }) => verdict + reason), ["pass"], name);
      }
    },
  });
}

Deno.test({
  name: "a signature over a part of the body counts for less (needs python3-dkim)",
  ignore: !haveDkimPy,
  async fn() {
    const forms = "relaxed/relaxed";
    const signed = await signWithDkimPy(sampleMessage(), { ...SIGNER, forms, length: true });
    const whole = await verify(signed, { txt: TXT });
    assertEquals(whole.dkim[0]?.verdict, "policy");
    const longer = encodeText(`${decodeText(signed)}buy this\r\n`);
    assertEquals((await verify(longer, { txt: TXT })).dkim[0]?.verdict, "policy");
  },
});

/** Changes of the signature field of RFC 8463's RSA example, and what is said of it. */
const FLAWS: readonly [string, string, string, RegExp][] = [
  ["v=1; a=rsa", "v=2; a=rsa", "permerror", /version/],
  ["v=1; a=rsa", "a=rsa", "permerror", /version/],
  ["a=rsa-sha256", "a=rsa-sha1", "permerror", /algorithm rsa-sha1/],
  ["a=rsa-sha256", "a=\u0007<b>", "permerror", /^algorithm \?\?b\?$/],
  ["c=relaxed/relaxed", "c=relaxed/nofws", "permerror", /canonicalization/],
  ["c=relaxed/relaxed", "c=simple/simple", "fail", /./],
  ["d=football.example.com; i", "d=; i", "permerror", /domain/],
  ["d=football.example.com; i", "d=foot\tball; i", "permerror", /domain/],
  ["d=football.example.com; i", `d=${"a.".repeat(10_000)}a; i`, "permerror", /domain/],
  ["i=@football.example.com", "i=@football.example.net", "permerror", /i= outside/],
  ["i=@football.example.com", "i=@xfootball.example.com", "permerror", /i= outside/],
  ["q=dns/txt", "q=ftp", "permerror", /query/],
  ["s=test", "s=none", "permerror", /^no key for signature$/],
  ["s=test", "s=", "permerror", /selector/],
  ["s=test", `s=${"a".repeat(10_000)}`, "permerror", /selector/],
  ["s=test", "s=brisbane", "permerror", /another algorithm/],
  ["t=1528637909", "t=1528637909; x=1528637910", "fail", /expired/],
  ["t=1528637909", "l=3", "policy", /a part of the body/],
  ["t=1528637909", "l=999", "policy", /a part of the body/],
  ["t=1528637909", "l=-1", "permerror", /l=/],
  ["t=1528637909", "t=1; t=2", "permerror", /tags/],
  ["h=from : to", "h=to", "fail", /./],
  ["from : subject : date;", "subject : date;", "fail", /signature/],
  ["bh=2jUS", "bh=3jUS", "fail", /body hash/],
  [" b=F45d", " b=G45d", "fail", /signature did not verify/],
  [" b=F45d", " b=*45d", "permerror", /no signature/],
];

const RSA_EXAMPLE = RFC_8463.slice(RFC_8463.indexOf("DKIM-Signature: v=1; a=rsa"));

for (const [text, change, verdict, reason] of FLAWS) {
  Deno.test(`a signature with ${JSON.stringify(change)} is ${verdict}`, async () => {
    const message = encodeText(RSA_EXAMPLE.replace(text, change));
    const [result] = (await verify(message, { txt: RFC_KEYS, nowMs: CLOCK.now() })).dkim;
    assertEquals(result?.verdict, verdict, result?.reason);
    assertMatch(result?.reason ?? "", reason);
  });
}

/** Records of the key, and what is said of signatures then. */
const KEYS: readonly [string, string, RegExp][] = [
  ["v=DKIM1; k=rsa; p=", "permerror", /revoked/],
  ["v=DKIM1; k=rsa; p=AAAA", "permerror", /bad key/],
  ["v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=", "permerror", /algorithm/],
  ["v=DKIM1; h=sha1; p=MIGf", "permerror", /algorithm/],
  ["v=DKIM1; s=tlsrpt; p=MIGf", "permerror", /not for mail/],
  [
    "v=DKIM1; p=MFwwDQYJKoZIhvcNAQEBBQADSwAwSAJBAJtMkqDBhVwDlN1JpyhsM2hfDC4OhRwSPNkMwt7bJqDAE4c9" +
    "0wAx5Yv7HjGSGwpDuTzjkiZqtpYzUhLBGtWjKdMCAwEAAQ==",
    "permerror",
    /RSA key of 512 bits/,
  ],
  ["spf", "permerror", /no key/],
];

for (const [record, verdict, reason] of KEYS) {
  Deno.test(`a key "${record.slice(0, 30)}…" makes a signature ${verdict}`, async () => {
    const txt = dnsOf({ "test._domainkey.football.example.com": record });
    const [result] = (await verify(encodeText(RSA_EXAMPLE), { txt })).dkim;
    assertEquals(result?.verdict, verdict, result?.reason);
    assertMatch(result?.reason ?? "", reason);
  });
}

Deno.test("a DNS that does not answer leaves a signature open", async () => {
  const txt = () => Promise.resolve({ kind: "temporary", reason: "timeout" } as const);
  const [result] = (await verify(encodeText(RSA_EXAMPLE), { txt })).dkim;
  assertEquals(result?.verdict, "temperror");
});

Deno.test("only so many signatures of one message are looked at", async () => {
  const [field = ""] = RSA_EXAMPLE.split("From:");
  let asked = 0;
  const { dkim } = await verify(encodeText(field.repeat(200) + RSA_EXAMPLE), {
    txt(name) {
      asked++;
      return RFC_KEYS(name);
    },
  });
  assertEquals([dkim.length, asked], [10, 10]);
});

Deno.test("whatever a stranger writes into a signature or a record, there is a verdict", async () => {
  const random = seededRandom(6376);
  const pick = (count: number): number => Math.floor(random.float() * count);
  const changed = (text: string): string => {
    const at = pick(text.length);
    const other = ["", "A", "=", ";", " ", ":", "/", "\u0000", "AAAA"][pick(9)] ?? "";
    return text.slice(0, at) + other + text.slice(at + pick(3));
  };
  const names = ["brisbane", "test"].map((name) => `${name}._domainkey.football.example.com`);
  const records = await Promise.all(names.map(async (name) => {
    const answer = await RFC_KEYS(name);
    return answer.kind === "found" ? answer.records[0] ?? "" : "";
  }));
  const end = RFC_8463.indexOf("From: Joe");
  const verdicts = new Set<string>();
  for (let round = 0; round < 1500; round++) {
    const isKey = round % 2 === 0;
    const fields = RFC_8463.slice(0, end);
    const message = (isKey ? fields : changed(fields)) + RFC_8463.slice(end);
    const txt = dnsOf(Object.fromEntries(names.map((name, index) => {
      const record = records[index] ?? "";
      return [name, isKey ? changed(record) : record];
    })));
    const { dkim } = await verify(encodeText(message), { txt });
    for (const { verdict } of dkim) verdicts.add(verdict);
  }
  assertEquals([...verdicts].sort(), ["fail", "pass", "permerror"]);
});

Deno.test("a strict key signs for its own domain alone, and says so", async () => {
  const strict = async (identity: string) => {
    const record = "v=DKIM1; t=s; p=MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQ" +
      "KBgQDkHlOQoBTzWRiGs5V6NpP3idY6Wk08a5qhdR6wy5bdOKb2jLQiY/J16JYi0Qvx/byYzCNb3W91y3FutACDf" +
      "zwQ/BC/e/8uBsCR+yz1Lxj+PL6lHvqMKrM3rG4hstT5QjvHO9PzoxZyVYLzBfO2EeC3Ip3G+2kryOTIKT+l/K4w" +
      "3QIDAQAB";
    const txt = dnsOf({ "test._domainkey.football.example.com": record });
    const text = RSA_EXAMPLE.replace("i=@football.example.com", `i=${identity}`);
    const [result] = (await verify(encodeText(text), { txt })).dkim;
    return [result?.verdict, result?.reason];
  };
  assertEquals(await strict("@football.example.com"), ["pass", ""]);
  assertEquals(await strict("@sub.football.example.com"), [
    ...["permerror", "i= must be d= with this key"],
  ]);
});
