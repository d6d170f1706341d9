import { type Reply, reply } from "../../../mail/reply.ts";
import type { SessionContext } from "../context.ts";
import { always, answer, type Verb } from "../verb.ts";

const UNKNOWN_TOPIC = answer(reply(504, "5.5.4", "No help on that")); // RFC 5321 4.2.2

/** HELP (RFC 5321 4.1.1.8). */
export const help: Verb = {
  verb: "HELP",
  syntax: "HELP [command]",
  about: "Lists the commands (RFC 5321 4.1.1.8)",
  access: "secured",
  check: always,
  pipelinable: false,
  run: ({ context }, args) => {
    if (args === "") return answer(overview(context));
    const verb = context.offer.verbs.get(args.toUpperCase());
    return verb === undefined || verb.syntax === ""
      ? UNKNOWN_TOPIC
      : answer({ code: 214, enhanced: "2.0.0", lines: [`Syntax: ${verb.syntax}`, verb.about] });
  },
};

function overview({ hostname, offer }: SessionContext): Reply {
  const verbs = [...offer.verbs.values()].filter(({ syntax }) => syntax !== "");
  const lines = [
    `Posthouse mail relay at ${hostname}`,
    `Commands: ${verbs.map(({ verb }) => verb).join(" ")}`,
    "HELP with a command shows its syntax and purpose",
    "RFC 5321 describes the protocol; write to postmaster about this host",
  ];
  return { code: 214, enhanced: "2.0.0", lines };
}
