import { domainName } from "../../../api/schemas/fields.ts";
import type {
  DnsRecordAdvice,
  PreflightCheck,
  PreflightReport,
  PreflightVerdict,
} from "../../../ports.ts";
import { Empty, Panel } from "../../parts/boxes.tsx";
import { type FormState, TextField } from "../../parts/form.tsx";
import { Icon, type IconName } from "../../parts/icon.tsx";
import { counted } from "../../parts/quantity.ts";
import type { Tone } from "../../parts/state.tsx";
import { Time } from "../../parts/time.tsx";
import type { Visit } from "../../visit.tsx";
import { notFoundPage } from "../failure.tsx";

const LIMIT_MS = 30_000;

const LOOKS: Readonly<Record<PreflightVerdict, { tone: Tone; icon: IconName; word: string }>> = {
  pass: { tone: "good", icon: "check", word: "Good" },
  warning: { tone: "warn", icon: "warning", word: "Warning" },
  fail: { tone: "bad", icon: "cross", word: "Missing or wrong" },
  unknown: { tone: "idle", icon: "info", word: "Unknown" },
};

/** Whether the world would accept mail from a domain. */
export async function preflightPage(visit: Visit): Promise<Response> {
  const { preflight } = visit.ports;
  if (preflight === undefined) return await notFoundPage(visit);
  const given = (visit.c.req.query("domain") ?? "").trim();
  const parsed = domainName().safeParse(given);
  const isWrong = given !== "" && !parsed.success;
  const form: FormState = {
    values: { domain: given },
    errors: isWrong ? { domain: "expected a domain such as example.net" } : {},
  };
  const signal = AbortSignal.any([visit.c.req.raw.signal, AbortSignal.timeout(LIMIT_MS)]);
  const report = given === "" || !parsed.success
    ? null
    : await preflight.check(parsed.data, { signal });
  return await visit.show({
    title: "Preflight",
    place: "/preflight",
    status: isWrong ? 400 : 200,
    children: (
      <>
        <header class="page-head">
          <h1>Preflight</h1>
          <p class="page-lead">
            Checks whether receivers accept mail from your domain: queries the DNS and connects to a
            mail server, as receivers would.
          </p>
        </header>
        <Question form={form} domains={preflight.domains} />
        {report === null
          ? (
            <section class="panel">
              <Empty icon="preflight" title="Enter a domain that you send from">
                <p>The result lists each missing record, ready to copy.</p>
              </Empty>
            </section>
          )
          : <Report report={report} nowMs={visit.nowMs} />}
      </>
    ),
  });
}

function Question({ form, domains }: { form: FormState; domains: readonly string[] }) {
  return (
    <form class="filters preflight-form" method="get" action="/preflight">
      <TextField
        form={form}
        name="domain"
        label="Domain"
        type="search"
        placeholder="example.net"
        list="preflight-domains"
        required
      />
      <datalist id="preflight-domains">
        {domains.map((domain) => <option value={domain} />)}
      </datalist>
      <button type="submit" class="button primary">Check</button>
      {domains.length > 0 && (
        <p class="soft small suggestions">
          {domains.map((domain, index) => (
            <>
              {index > 0 && ", "}
              <a href={`/preflight?domain=${encodeURIComponent(domain)}`}>{domain}</a>
            </>
          ))}
        </p>
      )}
    </form>
  );
}

function Report({ report, nowMs }: { report: PreflightReport; nowMs: number }) {
  const { domain, checks, checkedAtMs } = report;
  const bad = checks.filter(({ verdict }) => verdict === "fail").length;
  const better = checks.filter(({ verdict }) => verdict === "warning").length;
  const summary = bad > 0
    ? `${counted(bad, "problem")} to fix`
    : better > 0
    ? `ready, ${counted(better, "warning")}`
    : "ready";
  return (
    <Panel
      id="report"
      title={`${domain}: ${summary}`}
      note={
        <>
          checked <Time atMs={checkedAtMs} nowMs={nowMs} />
        </>
      }
    >
      <ul class="checks">{checks.map((check) => <Check check={check} />)}</ul>
    </Panel>
  );
}

function Check({ check }: { check: PreflightCheck }) {
  const { title, verdict, detail, found, advice, records } = check;
  const { tone, icon, word } = LOOKS[verdict];
  return (
    <li class="check-item" data-tone={tone}>
      <span class="verdict-mark">
        <Icon name={icon} size={14} />
      </span>
      <div>
        <h3>
          {title} <span class="chip" data-tone={tone}>{word}</span>
        </h3>
        <p class="wrap">{detail}</p>
        {found.length > 0 && (
          <ul class="found">{found.map((text) => <li class="reply">{text}</li>)}</ul>
        )}
        {advice !== "" && <p class="soft">{advice}</p>}
        {records.map((record) => <RecordAdvice record={record} />)}
      </div>
    </li>
  );
}

function RecordAdvice({ record: { name, type, value } }: { record: DnsRecordAdvice }) {
  return (
    <dl class="record">
      <dt>Name</dt>
      <dd class="mono">{name}</dd>
      <dt>Type</dt>
      <dd class="mono">{type}</dd>
      <dt>Value</dt>
      <dd class="mono">
        {value}{" "}
        <button type="button" class="button quiet small" data-copy={value}>
          <Icon name="copy" size={13} />
          <span data-copy-said>Copy</span>
        </button>
      </dd>
    </dl>
  );
}
