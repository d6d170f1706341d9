import { concatBytes, encodeText } from "../../base/bytes.ts";
import { formatDateTime } from "../../mail/date.ts";
import { Base64Encoder } from "../../mail/transfer_encoder.ts";
import type { FailureTally, PolicyTally } from "./tally.ts";

/** Who reports. */
export interface Reporter {
  readonly organization: string;
  /** The relay's own domain. */
  readonly submitter: string;
  /** The mailbox that reports come from and that answers go to. */
  readonly from: string;
}

/** One report, to one domain about one day. */
export interface ReportFacts {
  /** Of the day, such as `2026-01-31`. */
  readonly date: string;
  readonly domain: string;
  readonly policies: readonly PolicyTally[];
  /** Names it permanently, without a domain. */
  readonly id: string;
}

/** The report for programs (RFC 8460 section 4.4). */
export function tlsReportJson(
  { date, domain, policies, id }: ReportFacts,
  { organization, submitter, from }: Reporter,
): string {
  return JSON.stringify({
    "organization-name": organization,
    "date-range": {
      "start-datetime": `${date}T00:00:00Z`,
      "end-datetime": `${date}T23:59:59Z`,
    },
    "contact-info": from,
    "report-id": `${id}@${submitter}`,
    policies: policies.map((policy) => policyJson(policy, domain)),
  });
}

function policyJson({ published, successes, failures, details }: PolicyTally, domain: string) {
  const hasText = published.type !== "no-policy-found";
  return {
    policy: {
      "policy-type": published.type,
      ...(hasText ? { "policy-string": published.strings } : {}),
      "policy-domain": domain,
      ...(hasText && published.mxPatterns.length > 0 ? { "mx-host": published.mxPatterns } : {}),
    },
    summary: {
      "total-successful-session-count": successes,
      "total-failure-session-count": failures,
    },
    ...(details.length === 0 ? {} : { "failure-details": details.map(detailJson) }),
  };
}

function detailJson({ type, host, receivingAddress, sendingAddress, count }: FailureTally) {
  return {
    "result-type": type,
    ...(sendingAddress === "" ? {} : { "sending-mta-ip": sendingAddress }),
    ...(host === "" ? {} : { "receiving-mx-hostname": host }),
    ...(receivingAddress === "" ? {} : { "receiving-ip": receivingAddress }),
    "failed-session-count": count,
  };
}

/** Octets as gzip makes them (RFC 8460 section 5.2). */
export async function gzip(text: string): Promise<Uint8Array> {
  const stream = new Blob([text]).stream().pipeThrough(new CompressionStream("gzip"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

/** The message that carries a report (RFC 8460 section 5.3). */
export function tlsReportMessage(
  { date, domain, id }: ReportFacts,
  { reporter: { submitter, from }, to, report, nowMs }: {
    reporter: Reporter;
    to: string;
    /** The report as gzip made it. */
    report: Uint8Array;
    nowMs: number;
  },
): Uint8Array {
  const boundary = `=_${id}`;
  const startSeconds = Date.parse(`${date}T00:00:00Z`) / 1000;
  const file = `${submitter}!${domain}!${startSeconds}!${startSeconds + 86_399}!${id}.json.gz`;
  const head = [
    `Date: ${formatDateTime(nowMs)}`,
    `From: <${from}>`,
    `To: <${to}>`,
    `Subject: Report Domain: ${domain} Submitter: ${submitter} Report-ID: <${id}@${submitter}>`,
    `Message-ID: <${id}@${submitter}>`,
    `TLS-Report-Domain: ${domain}`,
    `TLS-Report-Submitter: ${submitter}`,
    `TLS-Required: No`, // section 3: a report about broken TLS must not wait for it
    `Auto-Submitted: auto-generated`,
    `MIME-Version: 1.0`,
    `Content-Type: multipart/report; report-type="tlsrpt";`,
    ` boundary="${boundary}"`,
    ``,
    `--${boundary}`,
    `Content-Type: text/plain; charset=us-ascii`,
    ``,
    `This is a report of the TLS connections from ${submitter}`,
    `to the mail servers of ${domain} on ${date} (UTC).`,
    ``,
    `--${boundary}`,
    `Content-Type: application/tlsrpt+gzip`,
    `Content-Transfer-Encoding: base64`,
    `Content-Disposition: attachment;`,
    ` filename="${file}"`,
    ``,
    ``,
  ];
  const encoder = new Base64Encoder();
  return concatBytes([
    encodeText(head.join("\r\n")),
    encoder.encode(report),
    encoder.end(),
    encodeText(`\r\n--${boundary}--\r\n`),
  ]);
}
