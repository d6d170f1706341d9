import { z } from "zod";
import { lineText, mailbox } from "../../../api/schemas/fields.ts";
import type { RouteAnswer, RouteInfo, RouteQuestion } from "../../../ports.ts";
import { Empty, Panel } from "../../parts/boxes.tsx";
import { blankForm, checkForm, type FormState, SelectField, TextField } from "../../parts/form.tsx";
import { Icon } from "../../parts/icon.tsx";
import { WayStateMark } from "../../parts/state.tsx";
import type { Visit } from "../../visit.tsx";

const questionSchema = z.object({
  to: mailbox(),
  from: mailbox().optional(),
  listener: lineText({ max: 100 }).optional(),
  user: lineText({ max: 256 }).optional(),
});

/** The rules, and which of them a message would take. */
export async function routesPage(visit: Visit): Promise<Response> {
  const { ports, c } = visit;
  const { form, question } = readQuestion(c.req.query());
  const listeners = ports.info.read().listeners.map(({ name }) => name);
  return await visit.show({
    title: "Routes",
    place: "/routes",
    children: (
      <>
        <header class="page-head">
          <h1>Routes</h1>
          <p class="page-lead">
            For each recipient, the first matching rule selects the transports, in order.
          </p>
        </header>
        <div class="columns">
          <div class="wide stack">
            <RulesPanel rules={ports.routes.list()} />
            {question !== null && (
              <AnswerPanel answer={ports.routes.explain(question)} question={question} />
            )}
          </div>
          <div class="narrow stack">
            <QuestionPanel form={form} listeners={listeners} />
          </div>
        </div>
      </>
    ),
  });
}

function readQuestion(
  query: Readonly<Record<string, string>>,
): { readonly form: FormState; readonly question: RouteQuestion | null } {
  const { to = "", from = "", listener = "", user = "" } = query;
  const values = { to: to.trim(), from: from.trim(), listener, user: user.trim() };
  if (values.to === "") return { form: blankForm(values), question: null };
  const checked = checkForm(questionSchema, values);
  if (checked.kind === "wrong") return { form: checked.form, question: null };
  const { data } = checked;
  return {
    form: blankForm(values),
    question: {
      to: data.to,
      from: data.from ?? "",
      ...(data.listener === undefined ? {} : { listener: data.listener }),
      ...(data.user === undefined ? {} : { user: data.user }),
    },
  };
}

const MATCH_WORDS: Readonly<Record<string, string>> = {
  recipient_domain: "recipient domain",
  recipientDomain: "recipient domain",
};

function RulesPanel(
  { rules }: { rules: readonly RouteInfo[] },
) {
  return (
    <Panel id="rules" title="Routes, in order">
      <ol class="rules">
        {rules.map(({ name, match, transports }, index) => (
          <li class="rule" id={name}>
            <span class="way-number">{index + 1}</span>
            <div>
              <h3>{name}</h3>
              <p class="soft wrap">
                {Object.keys(match).length === 0
                  ? "Matches everything."
                  : Object.entries(match).map(([key, patterns]) => (
                    <span class="condition">
                      {MATCH_WORDS[key] ?? key} is {patterns.map((pattern, place) => (
                        <>
                          {place > 0 && " or "}
                          <code>{pattern === "" ? "<>" : pattern}</code>
                        </>
                      ))}
                    </span>
                  ))}
              </p>
              <p class="rule-ways">
                {transports.map((transport, place) => (
                  <>
                    {place > 0 && <Icon name="arrow" size={12} />}
                    <a href={`/transports#${encodeURIComponent(transport)}`}>{transport}</a>
                  </>
                ))}
              </p>
            </div>
          </li>
        ))}
      </ol>
    </Panel>
  );
}

function QuestionPanel(
  { form, listeners }: { form: FormState; listeners: readonly string[] },
) {
  const options = [
    { value: "", text: "the first" },
    ...[...listeners, "local"].map((name) => ({ value: name, text: name })),
  ];
  return (
    <Panel id="question" title="Which route is used?">
      <form class="panel-body stack tight" method="get" action="/routes">
        <TextField
          form={form}
          name="to"
          label="To"
          type="search"
          placeholder="user@example.net"
          required
        />
        <TextField form={form} name="from" label="From" placeholder="the null reverse-path" />
        <SelectField form={form} name="listener" label="Listener" options={options} />
        <TextField form={form} name="user" label="User" placeholder="none" />
        <button type="submit" class="button primary">Explain</button>
      </form>
    </Panel>
  );
}

function AnswerPanel({ answer, question }: { answer: RouteAnswer; question: RouteQuestion }) {
  const { route, steps, transports } = answer;
  return (
    <Panel id="answer" title={`${question.to}: ${route === null ? "no route matches" : route}`}>
      <div class="panel-body stack">
        <ul class="verdicts">
          {steps.map(({ route: name, fits, reason }) => (
            <li data-tone={fits ? "good" : "idle"}>
              <span class="verdict-mark">
                <Icon name={fits ? "check" : "cross"} size={14} />
              </span>
              <span>
                <b>{name}</b> <span class="sr-only">{fits ? "matches:" : "does not match:"}</span>
                <span class="soft wrap">{reason}</span>
              </span>
            </li>
          ))}
        </ul>
        {transports.length === 0
          ? (
            <Empty title="The message would be deferred" tight>
              <p>
                No route matches, so the message is deferred with 450 4.4.4 until one does. Add a
                route without conditions at the end.
              </p>
            </Empty>
          )
          : (
            <ol class="way-list">
              {transports.map(({ name, kind, destination, state, reason }, index) => (
                <li>
                  <span class="way-number">{index + 1}</span>
                  <span>
                    <a href={`/transports#${encodeURIComponent(name)}`}>{name}</a>{" "}
                    <span class="faint small">{kind}</span>
                    <span class="soft small wrap block">to {destination}. {reason}</span>
                  </span>
                  <WayStateMark state={state} />
                </li>
              ))}
            </ol>
          )}
      </div>
    </Panel>
  );
}
