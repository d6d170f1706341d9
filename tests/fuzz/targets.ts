/** What the octets of strangers reach, each as one function of them. */
import { draftSchema } from "../../src/admin/api/schemas/draft.ts";
import { messagePage, messageText } from "../../src/admin/content/message_page.ts";
import { takeApart } from "../../src/admin/content/read.ts";
import { evaluateDmarc } from "../../src/authentication/dmarc.ts";
import { evaluateSpf, type SpfResolver } from "../../src/authentication/spf.ts";
import { parseJwt } from "../../src/auth/token/jwt.ts";
import { decodeLatin1 } from "../../src/base/bytes.ts";
import { reportPlaces } from "../../src/delivery/tls/report_sender.ts";
import { parseStsPolicy, stsId } from "../../src/delivery/tls/sts_policy.ts";
import { parseDeliveryStatus } from "../../src/feedback/delivery_status.ts";
import { parseFeedbackReport } from "../../src/feedback/feedback_report.ts";
import { meaningOf } from "../../src/feedback/meaning.ts";
import { readReport } from "../../src/feedback/report_reader.ts";
import { readMailboxes, readRawEnvelope, RequestError } from "../../src/ingress/compat/reading.ts";
import { parseMailbox } from "../../src/mail/address.ts";
import { decodeEncodedWords } from "../../src/mail/encoded_word.ts";
import { shownText } from "../../src/mail/header_values.ts";
import { convert } from "../../src/mail/convert.ts";
import { planConversion } from "../../src/mail/conversion_plan.ts";
import { readHeader } from "../../src/mail/headers.ts";
import { bytesSource } from "../../src/mail/mime/source.ts";
import { mimeTree } from "../../src/mail/mime/tree.ts";
import { helloServerName } from "../../src/net/client_hello.ts";
import { decodeAnswer } from "../../src/net/dns_message.ts";
import { parseProxyHeader } from "../../src/net/proxy_header.ts";
import type { DnsResult } from "../../src/net/resolver.ts";
import { mailgunReports } from "../../src/provider_events/mailgun/reports.ts";
import { postmarkReports } from "../../src/provider_events/postmark/reports.ts";
import { resendReports } from "../../src/provider_events/resend/reports.ts";
import { sendgridReports } from "../../src/provider_events/sendgrid/reports.ts";
import { sesReports } from "../../src/provider_events/ses/reports.ts";
import { parseMessage } from "../../src/relay/http/mime.ts";
import { parseRecord } from "../../src/signing/record.ts";
import { arcSets } from "../../src/signing/arc/sets.ts";
import { parseSignature } from "../../src/signing/verify/parsed_signature.ts";
import { parseCommand } from "../../src/smtp/wire/command.ts";
import { DotDecoder } from "../../src/smtp/wire/dot_decoder.ts";
import { parseParams } from "../../src/smtp/wire/params.ts";
import { scanPath } from "../../src/smtp/wire/path.ts";
import { ReplyDecoder } from "../../src/smtp/wire/reply_decoder.ts";
import { CompatBench } from "../ingress/compat/desk_setup.ts";

/** One way in. */
export interface FuzzTarget {
  /** Takes an input; may throw only what `refuses` knows. */
  run(octets: Uint8Array<ArrayBuffer>): unknown;
  readonly refuses?: (error: unknown) => boolean;
  /** Inputs to begin with, each octet one character. */
  readonly seeds: readonly string[];
  /** Words of the grammar. */
  readonly words: readonly string[];
}

const decoder = new TextDecoder();
const textOf = (octets: Uint8Array): string => decoder.decode(octets);

function jsonOf(octets: Uint8Array): unknown {
  try {
    return JSON.parse(textOf(octets));
  } catch {
    return textOf(octets);
  }
}

const HEADER =
  "From: =?utf-8?q?J=C3=B6rg?= <a@source.test>\r\nTo: b@sink.test,\r\n c@sink.test\r\n" +
  "Subject: =?utf-8?b?w6Q=?= x\r\n\r\nbody\r\n";
const HEADER_WORDS = [
  "\r\n",
  "\r\n ",
  ": ",
  "From",
  "=?",
  "?=",
  "=?utf-8?q?",
  "<",
  ">",
  "(",
  ")",
  '"',
];
const MIME =
  "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: text/plain;\r\n" +
  " name*0*=utf-8''%C3; name*1=x\r\nContent-Transfer-Encoding: base64\r\n\r\nw6Q=\r\n--b\r\n" +
  "Content-Type: message/rfc822\r\n\r\nSubject: a\r\n\r\nb\r\n--b--\r\n";
const MIME_WORDS = [
  "--b",
  "--b--",
  "\r\n",
  "Content-Type: ",
  "multipart/",
  "message/rfc822",
  ";",
  "=",
];
const REPORT =
  "Content-Type: multipart/report; report-type=delivery-status; boundary=b\r\n\r\n--b\r\n" +
  "\r\nsorry\r\n--b\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx.test\r\n\r\n" +
  "Final-Recipient: rfc822; b@sink.test\r\nAction: failed\r\nStatus: 5.1.1\r\n" +
  "Diagnostic-Code: smtp; 550 no\r\n--b\r\nContent-Type: message/rfc822\r\n\r\nSubject: a\r\n--b--\r\n";
const ARF =
  "Feedback-Type: abuse\r\nUser-Agent: x/1\r\nVersion: 1\r\nOriginal-Rcpt-To: <b@sink.test>\r\n";
const DKIM = "DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/simple; d=source.test; s=s1;\r\n" +
  " h=from:to:subject; bh=2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8=; b=AAAA\r\n" +
  "ARC-Seal: i=1; a=rsa-sha256; cv=none; d=a.test; s=s; b=AA==\r\n" +
  "ARC-Message-Signature: i=1; a=rsa-sha256; d=a.test; s=s; h=from; bh=AA==; b=AA==\r\n" +
  "ARC-Authentication-Results: i=1; a.test; dkim=pass\r\nFrom: a@source.test\r\n\r\n";
const DNS =
  "\0\x07\x84\0\0\x01\0\x02\0\0\0\0\x01a\x04test\0\0\x0f\0\x01\xc0\x0c\0\x05\0\x01\0\0\x01\x2c" +
  "\0\x04\x01b\xc0\x0e\xc0\x26\0\x0f\0\x01\0\0\x01\x2c\0\x08\0\x0a\x03mx1\xc0\x0e";
const HELLO = "\x16\x03\x01\0\x3d\x01\0\0\x39\x03\x03" + "r".repeat(32) +
  "\0\0\x02\x13\x01\x01\0\0\x0e" +
  "\0\0\0\x0a\0\x08\0\0\x05a.tes";
const PROXY_2 = "\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c\x7f\0\0\x01\x7f\0\0\x02\x12\x34\0\x19";
const EVENTS = [
  '[{"event":"bounce","type":"bounce","email":"a@x.example","reason":"no","sg_event_id":"1"}]',
  '{"event-data":{"event":"failed","severity":"permanent","recipient":"a@x.example","id":"1"}}',
  '{"RecordType":"Bounce","ID":1,"Type":"HardBounce","Email":"a@x.example","Details":"no"}',
  '{"type":"email.bounced","created_at":"2026-01-01T00:00:00Z","data":{"email_id":"1","to":["a@x"]}}',
  '{"notificationType":"Bounce","mail":{"messageId":"1"},"bounce":{"bounceType":"Permanent",' +
  '"bouncedRecipients":[{"emailAddress":"a@x.example"}]}}',
];
const JSON_WORDS = ["{", "}", "[", "]", ",", ":", "null", "1e999", '"a"', "\\u0000", "__proto__"];
const DRAFT = '{"from":"a@source.test","to":["B <b@sink.test>"],"subject":"s","text":"t",' +
  '"attachments":[{"filename":"a","content":"w6Q=","type":"text/plain"}],"headers":{"X-A":"b"}}';

/** Many parts, beside and inside each other. */
const MANY_PARTS = "Content-Type: multipart/mixed; boundary=b\r\n\r\n" +
  Array.from(
    { length: 10 },
    (_, part) =>
      `--b\r\nContent-Type: multipart/related; boundary=b${part}\r\n\r\n--b${part}\r\n` +
      `Content-ID: <${part}>\r\n\r\ntext =E4\r\n--b${part}--\r\n`,
  ).join("") + "--b--\r\n";
const HTML = MIME.replace("text/plain", "text/html")
  .replace("w6Q=", "PHA+PGEgaHJlZj1qYXZhc2NyaXB0OmE+eDwvYT48aW1nIHNyYz1jaWQ6YT4=");
const FLOWED = "From: a@source.test\r\nContent-Type: text/plain; format=flowed; delsp=yes;" +
  " charset=x-cp1250\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n> a =E4 \r\n> b=\r\n-- \r\n";

/** The door of a provider's clients; an input is the body of a request with a good key. */
function door(
  path: string,
  { seeds, words = JSON_WORDS, headers = {} }: {
    seeds: readonly string[];
    words?: readonly string[];
    headers?: Readonly<Record<string, string>>;
  },
): FuzzTarget {
  const bench = new CompatBench();
  bench.messageBytes = 1_000_000;
  const all = { "content-type": "application/json", authorization: "Bearer good", ...headers };
  return {
    async run(body) {
      const { response } = await bench.ask(path, { headers: all, body });
      for (const list of [bench.messages, bench.requests, bench.events]) list.length = 0;
      if (response.status === 401) throw new Error(`${path} knows no key`);
      if (response.status >= 500) throw new Error(`${path} answered ${response.status}`);
    },
    seeds,
    words,
  };
}

/** A resolver that gives one answer to every question. */
function answering(octets: Uint8Array): SpfResolver {
  const found = <Data>(records: readonly Data[]): Promise<DnsResult<Data>> =>
    Promise.resolve({
      kind: "found",
      records,
      ttlMs: 1,
      authentic: false,
      canonicalName: "a.test",
    });
  return {
    txt: () => found([decodeLatin1(octets)]),
    mx: () => found([{ preference: 1, exchange: "mx.test" }]),
    a: () => found(["192.0.2.9"]),
    aaaa: () => found([]),
    ptr: () => found(["a.b.test"]),
  };
}

export const TARGETS: Readonly<Record<string, FuzzTarget>> = {
  commands: {
    run(octets) {
      const command = parseCommand(octets, { isLoose: true });
      const args = textOf(octets).slice(5);
      for (const keyword of ["FROM", "TO"] as const) scanPath(args, keyword, { isLoose: true });
      return [command, parseParams(args)];
    },
    seeds: [
      "MAIL FROM:<a@source.test> SIZE=1 BODY=8BITMIME",
      "RCPT TO:<@a,@b:c@[IPv6:::1]>",
      "EHLO a",
    ],
    words: [
      "<",
      ">",
      "@",
      ":",
      '"',
      "\\",
      " ",
      "=",
      "+3D",
      "SMTPUTF8",
      "[IPv6:",
      "\xc3\xa4",
      "NOTIFY=",
    ],
  },
  data: {
    run(octets) {
      const data = new DotDecoder();
      for (let at = 0; at < octets.length; at += 100) data.decode(octets.subarray(at, at + 100));
      return data.facts;
    },
    seeds: ["a\r\n..b\r\n.\r\n", "\r\n\r\n.\r\n"],
    words: ["\r\n", "\r", "\n", ".", "\r\n.", "\r\n.\r\n"],
  },
  header: {
    run(octets) {
      const { bytes, fields } = readHeader(octets);
      return fields.map((field) => [shownText(bytes, field), decodeEncodedWords(field.name)]);
    },
    seeds: [HEADER],
    words: HEADER_WORDS,
  },
  mime: {
    run: (octets) => mimeTree(bytesSource(octets)),
    seeds: [MIME, MANY_PARTS],
    words: MIME_WORDS,
  },
  contents: {
    async run(octets) {
      const source = bytesSource(octets);
      const taken = await takeApart(source);
      if (taken.kind !== "ok") return taken;
      for (const part of taken.content.parts) await Array.fromAsync(part.stream());
      return [
        await parseMessage(source),
        await messagePage(taken.content),
        messageText(taken.content),
      ];
    },
    seeds: [MIME, MANY_PARTS, HTML, FLOWED],
    words: [
      ...MIME_WORDS,
      "format=flowed",
      "charset=",
      "=?utf-8?b?",
      "name*1*=",
      "begin 644 a",
      "<a ",
    ],
  },
  conversion: {
    async run(octets) {
      for (const target of ["7bit", "8bit"] as const) {
        const plan = await planConversion([octets], target);
        if (plan.kind === "possible") await Array.fromAsync(convert([octets], plan));
      }
    },
    seeds: [MIME, MANY_PARTS, FLOWED, HEADER],
    words: [...MIME_WORDS, "\xe4", "\xc3\xa4", "binary", "8bit", "quoted-printable"],
  },
  addresses: {
    run: (octets) => [parseMailbox(textOf(octets)), readMailboxes("to", textOf(octets))],
    refuses: (error) => error instanceof RequestError,
    seeds: ['"A, B" <a@source.test>, (c) d@[127.0.0.1]', "group: a@b.test, c@d.test;"],
    words: ["<", ">", "@", ",", ";", ":", '"', "\\", "(", ")", "[", "]", " ", "\xc3\xa4", "."],
  },
  dns: {
    run: (octets) =>
      (["A", "MX", "TXT", "CNAME"] as const).map((type) =>
        decodeAnswer(octets, { id: 7, name: "a.test", type })
      ),
    seeds: [DNS, DNS.replace("\x0f\0\x01\xc0", "\x01\0\x01\xc0")],
    words: ["\xc0\x0c", "\x3f", "\0\x05\0\x01", "\0\x10\0\x01", "\0\x01\0\x01", "\xff\xff"],
  },
  reports: {
    async run(octets) {
      const meaning = meaningOf(await readReport(bytesSource(octets).stream()));
      return [meaning, parseDeliveryStatus(textOf(octets)), parseFeedbackReport(textOf(octets))];
    },
    seeds: [REPORT, ARF, REPORT.replace("delivery-status;", "feedback-report;")],
    words: [
      ...MIME_WORDS,
      "Status: ",
      "Action: ",
      "Final-Recipient: ",
      "rfc822;",
      "Feedback-Type: ",
    ],
  },
  signatures: {
    run(octets) {
      const header = readHeader(octets);
      const signed = header.fields.map((field) =>
        parseSignature(header, { field, defaultForms: "simple" })
      );
      return [signed, arcSets(header)];
    },
    seeds: [DKIM],
    words: [";", "=", ":", "h=", "b=", "bh=", "i=", "l=", "cv=", "ARC-Seal: ", "\r\n ", "relaxed"],
  },
  proxy: {
    run: parseProxyHeader,
    seeds: ["PROXY TCP4 127.0.0.1 127.0.0.2 1234 25\r\n", "PROXY UNKNOWN\r\n", PROXY_2],
    words: ["PROXY ", "TCP6 ", "::1 ", "\r\n", " ", "65536", "\x21", "\x20", "\xff\xff"],
  },
  hello: {
    run: helloServerName,
    seeds: [HELLO],
    words: ["\x16\x03\x01", "\0", "\xff\xff", "\0\0"],
  },
  events: {
    run(octets) {
      const json = jsonOf(octets);
      return [
        ...[mailgunReports(json, { token: "t" }), sendgridReports(json), postmarkReports(json)],
        ...[resendReports(json, { id: "1" }), sesReports({ id: "1", text: textOf(octets) })],
      ];
    },
    seeds: EVENTS,
    words: JSON_WORDS,
  },
  json: {
    run: (octets) => [draftSchema.safeParse(jsonOf(octets)), readRawEnvelope(octets)],
    refuses: (error) => error instanceof RequestError,
    seeds: [DRAFT, HEADER],
    words: [...JSON_WORDS, ...HEADER_WORDS],
  },
  replies: {
    run(octets) {
      const decoder = new ReplyDecoder();
      for (let at = 0; at < octets.length; at += 100) {
        decoder.push(octets.subarray(at, at + 100));
        while (decoder.next().kind === "reply");
      }
    },
    seeds: ["250-mx.test\r\n250 SIZE 1\r\n", "550 5.1.1 no\r\n\r\n", "421\n"],
    words: ["250-", "250 ", "\r\n", "\n", "5.1.1 ", "999", "\0", "\xc3\xa4"],
  },
  records: {
    async run(octets) {
      const text = decodeLatin1(octets);
      const resolver = answering(octets);
      return [
        ...[parseStsPolicy(text), stsId([text]), reportPlaces([text]), parseRecord(text)],
        await evaluateSpf(resolver, { domain: "a.test", address: "192.0.2.1" }),
        await evaluateDmarc(resolver, { author: "a.test", authenticated: [] }),
        parseJwt(text),
      ];
    },
    seeds: [
      "v=spf1 ip4:192.0.2.0/24 include:%{d}.b.test exists:%{ir}.%{v}.c.test redirect=d.test",
      "v=DMARC1; p=reject; sp=none; adkim=s; psd=y; t=n; rua=mailto:a@b.test",
      "v=DKIM1; k=rsa; h=sha256; s=email; t=y; p=MIGf",
      "version: STSv1\nmode: enforce\nmx: *.a.test\nmax_age: 604800\n",
      "v=TLSRPTv1; rua=mailto:a@b.test,https://b.test/c",
      "eyJhbGciOiJSUzI1NiIsImtpZCI6IjEifQ.eyJpc3MiOiJhIn0.AAAA",
    ],
    words: [";", "=", "%{", "}", "/", "//64", ":", "ip6:", "+all", "a:", "mx", "v=", "\n", "*."],
  },
  sendgrid: door("/sendgrid/v3/mail/send", {
    seeds: [
      '{"personalizations":[{"to":[{"email":"a@b.test","name":"A"}],"headers":{"X-A":"b"}}],' +
      '"from":{"email":"c@b.test"},"reply_to":null,"subject":"s","content":[{"type":"text/plain",' +
      '"value":"t"},{"type":"text/html","value":"<p>"}],"attachments":[{"content":"w6Q=",' +
      '"filename":"a","type":"image/png","disposition":"inline","content_id":"<l>"}],"send_at":1}',
    ],
  }),
  postmark: door("/postmark/email", {
    headers: { "x-postmark-server-token": "good" },
    seeds: [
      '{"From":"A <a@b.test>","To":"b@b.test, c@b.test","Bcc":"d@b.test","Subject":"s",' +
      '"TextBody":"t","HtmlBody":"<p>","Headers":[{"Name":"X-A","Value":"b"}],"Attachments":' +
      '[{"Name":"a","Content":"w6Q=","ContentType":"a/b","ContentID":"cid:l"}],"Metadata":{"a":"b"}}',
    ],
  }),
  resend: door("/resend/emails", {
    seeds: [
      '{"from":"A <a@b.test>","to":["b@b.test"],"reply_to":"c@b.test","subject":"s","html":"<p>",' +
      '"headers":{"X-A":"b"},"tags":[{"name":"a","value":"b"}],"scheduled_at":"in 1 min",' +
      '"attachments":[{"filename":"a","content":"w6Q="},{"filename":"b","content":[1,2]}]}',
    ],
  }),
  mailgun: door("/mailgun/v3/b.test/messages", {
    headers: {
      "content-type": "multipart/form-data; boundary=b",
      authorization: `Basic ${btoa("api:good")}`,
    },
    seeds: [
      '--b\r\nContent-Disposition: form-data; name="from"\r\n\r\na@b.test\r\n--b\r\n' +
      'Content-Disposition: form-data; name="to"\r\n\r\nb@b.test\r\n--b\r\n' +
      'Content-Disposition: form-data; name="text"\r\n\r\nt\r\n--b\r\nContent-Disposition: ' +
      "form-data; name=\"attachment\"; filename*=utf-8''%C3%A4\r\n\r\nx\r\n--b--\r\n",
    ],
    words: ["--b", "\r\n", 'name="', 'filename="', "o:tag", "h:X-A", "v:a", "recipient-variables"],
  }),
};
