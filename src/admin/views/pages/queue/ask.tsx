import { blankForm, SelectField, TextField } from "../../parts/form.tsx";
import type { Visit } from "../../visit.tsx";
import type { QueueActionName } from "./actions.ts";
import { type ActionInput, BY_ROUTES } from "./perform.ts";
import type { QueueQuery } from "./query.ts";

/** Fields that a form carries along. */
export function HiddenFields(
  { fields }: { fields: readonly (readonly [name: string, value: string])[] },
) {
  return <>{fields.map(([name, value]) => <input type="hidden" name={name} value={value} />)}</>;
}

/** What an action asks for besides which messages are meant. */
export function ActionFields(
  { visit, intent: { name, input, query } }: {
    visit: Visit;
    intent: { name: QueueActionName; input: ActionInput; query: QueueQuery };
  },
) {
  if (name !== "readdress") {
    return (
      <div class="panel">
        <div class="panel-body form">
          <TransportField
            visit={visit}
            value={input.to_transport}
            isRerouting={name === "reroute"}
          />
        </div>
      </div>
    );
  }
  const remove = input.remove || (query.params["recipient"]?.[0] ?? "");
  const form = blankForm({ remove, add: input.add });
  return (
    <div class="panel-body form">
      <TextField
        form={form}
        name="remove"
        label="Remove"
        placeholder="jon@example.net"
        hint="Only messages with this recipient are changed. Leave empty to remove none."
        autofocus
      />
      <TextField
        form={form}
        name="add"
        label="Add"
        placeholder="john@example.net"
        hint="Separate several with commas."
      />
      <div class="button-row full">
        <button type="submit" class="button">Preview</button>
      </div>
    </div>
  );
}

/** The choice of a transport, or of none in particular. */
export function TransportField(
  { visit, value, isRerouting }: { visit: Visit; value: string; isRerouting: boolean },
) {
  const transports = visit.ports.transports.list().map(({ name, kind, state }) => ({
    value: name,
    text: `${name} (${kind}${state === "up" ? "" : `, ${state}`})`,
  }));
  const byRoutes = {
    value: BY_ROUTES,
    text: isRerouting ? "use the routes again" : "as the routes say",
  };
  const options = isRerouting ? [...transports, byRoutes] : [byRoutes, ...transports];
  return (
    <SelectField
      form={blankForm({ to_transport: value })}
      name="to_transport"
      label="Transport"
      options={options}
    />
  );
}
