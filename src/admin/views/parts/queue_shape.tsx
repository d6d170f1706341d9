import type { DomainCrowd, QueueShape } from "../../../queue/store.ts";
import { mainReason } from "../../queue_by_domain.ts";
import { Panel } from "./boxes.tsx";
import { count } from "./quantity.ts";

const AGE_NAMES = ["≤ 5 min", "≤ 1 h", "≤ 6 h", "≤ 24 h", "older"] as const;

/** What waits for each domain, by age, and why; nothing when nothing waits. */
export function QueueShapePanel({ shape, link }: { shape: QueueShape; link: boolean }) {
  const { domains, domainCount, recipients } = shape;
  if (recipients === 0) return null;
  const rest = domainCount - domains.length;
  const note = link ? <a href="/destinations">Open</a> : undefined;
  return (
    <Panel id="queue-shape" title="Queue by domain and age" note={note} live>
      <div class="scroll-x">
        <table class="table ways by-age">
          <thead>
            <tr>
              <th scope="col">Domain</th>
              <th scope="col" class="number">Recipients</th>
              {AGE_NAMES.map((name) => <th scope="col" class="number nowrap">{name}</th>)}
              <th scope="col">Why</th>
            </tr>
          </thead>
          <tbody>
            {domains.map((domain) => <DomainRow domain={domain} />)}
          </tbody>
        </table>
      </div>
      {rest > 0 && <p class="panel-foot">{count(rest)} more domains have fewer.</p>}
    </Panel>
  );
}

function DomainRow({ domain }: { domain: DomainCrowd }) {
  const { domain: name, recipients, ages } = domain;
  return (
    <tr data-row>
      <td>
        <a class="strong wrap" href={`/queue?domain=${encodeURIComponent(name)}`} data-row-link>
          {name}
        </a>
      </td>
      <td class="number" data-label="recipients">{count(recipients)}</td>
      {AGE_NAMES.map((label, age) => (
        <td class={ages[age] === 0 ? "number none" : "number"} data-label={label}>
          {ages[age] === 0 ? <span class="faint">–</span> : count(ages[age] ?? 0)}
        </td>
      ))}
      <td class="full small soft wrap">{mainReason(domain)}</td>
    </tr>
  );
}
