import type { ConfigFileState, ReloadResult } from "../../../ports.ts";
import { Empty, Notice, Panel } from "../../parts/boxes.tsx";
import { Fact } from "../../parts/fact.tsx";
import { ActionButton } from "../../parts/form.tsx";
import { Icon } from "../../parts/icon.tsx";
import { Time } from "../../parts/time.tsx";
import type { Visit } from "../../visit.tsx";

/** How the relay is set up, and whether it can work. */
export async function configPage(
  visit: Visit,
  { result = null }: { result?: ReloadResult | null } = {},
): Promise<Response> {
  const { ports } = visit;
  const canReload = ports.config.reload !== undefined && visit.may("admin");
  return await visit.show({
    title: "Config",
    place: "/config",
    status: result?.kind === "invalid" ? 422 : 200,
    children: (
      <>
        <header class="page-head">
          <h1>Config</h1>
          {canReload && (
            <div class="page-actions">
              <ActionButton
                action="/config/reload"
                values={{}}
                label={
                  <>
                    <Icon name="retry" size={14} />Reload the file
                  </>
                }
                isSmall={false}
              />
            </div>
          )}
        </header>
        {result !== null && <Reloaded result={result} />}
        {result === null && visit.may("operator") && (
          <FileState state={await ports.config.fileState()} />
        )}
        <div class="columns">
          <div class="wide stack">
            <Effective visit={visit} />
          </div>
          <div class="narrow stack">
            {await Health({ visit })}
            <Listeners visit={visit} />
          </div>
        </div>
      </>
    ),
  });
}

/** Reads the config file again. */
export async function reloadConfig(visit: Visit): Promise<Response> {
  const result = await visit.ports.config.reload?.({ by: visit.actor }) ?? null;
  return await configPage(visit, { result });
}

function Reloaded({ result }: { result: ReloadResult }) {
  switch (result.kind) {
    case "reloaded":
      return <Notice tone="good">Reloaded the config.</Notice>;
    case "partial":
      return <Notice tone="warn">Reloaded the config, except: {result.problem}</Notice>;
    case "invalid":
      return (
        <Notice tone="bad">
          The file has errors; nothing was changed.
          <ul class="mono">{result.problems.map((problem) => <li>{problem}</li>)}</ul>
        </Notice>
      );
  }
}

/** What a reload would do, where it would do something. */
function FileState({ state }: { state: ConfigFileState }) {
  switch (state.kind) {
    case "same":
      return null;
    case "changed":
      return (
        <Notice tone="warn">
          The file has changed since it was read. Reload it to use the changes.
        </Notice>
      );
    case "partial":
      return <Notice tone="warn">The last reload could not use everything: {state.problem}</Notice>;
    case "broken":
      return (
        <Notice tone="bad">
          The file has errors, so the relay keeps the configuration below. It would not start with
          the file. Correct it, then reload.
          <ul class="mono">{state.problems.map((problem) => <li>{problem}</li>)}</ul>
        </Notice>
      );
  }
}

function Effective({ visit }: { visit: Visit }) {
  const { config, info } = visit.ports;
  const { configFile } = info.read();
  if (!visit.may("operator")) {
    return (
      <Panel id="effective" title="Effective configuration">
        <Empty icon="lock" title="Viewers cannot see the configuration" tight>
          <p>Operators and admins can.</p>
        </Empty>
      </Panel>
    );
  }
  const { toml, loadedAtMs } = config.read();
  return (
    <Panel
      id="effective"
      title="Effective configuration"
      note={
        <>
          {configFile ?? "no file: the defaults"}, read{" "}
          <Time atMs={loadedAtMs} nowMs={visit.nowMs} />
        </>
      }
    >
      <div class="panel-body">
        <p class="soft small">
          Includes defaults. Values from the environment or a file are shown as references, so no
          secret is shown.
        </p>
        <pre class="source" tabindex={0} aria-label="The effective configuration">{toml}</pre>
      </div>
    </Panel>
  );
}

async function Health({ visit }: { visit: Visit }) {
  const checks = await visit.ports.health.check();
  return (
    <Panel id="health" title="Health">
      <ul class="verdicts panel-body">
        {checks.map(({ name, ok, detail }) => (
          <li data-tone={ok ? "good" : "bad"}>
            <span class="verdict-mark">
              <Icon name={ok ? "check" : "warning"} size={14} />
            </span>
            <span>
              <b>{name}</b> <span class="sr-only">{ok ? "passed:" : "failed:"}</span>
              <span class="soft wrap">{detail}</span>
            </span>
          </li>
        ))}
      </ul>
    </Panel>
  );
}

function Listeners({ visit }: { visit: Visit }) {
  const { listeners, store, version, startedAtMs, hostname } = visit.ports.info.read();
  return (
    <Panel id="listeners" title="Relay">
      <dl class="facts panel-body">
        <Fact name="Name">{hostname}</Fact>
        <Fact name="Version">{version}</Fact>
        <Fact name="Started">
          <Time atMs={startedAtMs} nowMs={visit.nowMs} form="full" />
        </Fact>
        <Fact name="Queue">{store}</Fact>
        {listeners.map(({ name, address, port, sessions }) => (
          <Fact name={name}>
            <span class="mono">{address} port {port}</span>
            <span class="faint small block">
              {sessions} {sessions === 1 ? "session" : "sessions"} open
            </span>
          </Fact>
        ))}
      </dl>
    </Panel>
  );
}
