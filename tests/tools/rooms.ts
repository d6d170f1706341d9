/**
 * The rooms of `src/` and what each may know of the others, as data. `room_lint.ts` turns it
 * into a lint rule.
 */

/** One room: a folder of `src/`, or a few files that belong together. */
export interface Room {
  readonly name: string;
  /** Paths below `src/`: a folder, or a file with its suffix. */
  readonly places: readonly string[];
  /** Rooms or files below `src/` that it may import; its own files always. `*` means all. */
  readonly mayImport: readonly string[];
  /** Files below `src/` whose types, and only those, it may import besides. */
  readonly mayImportTypes?: readonly string[];
  /** Globals it must not touch: `Deno` or `Deno.listen`, `fetch`. */
  readonly mustNotUse?: readonly string[];
  /** Why the line is drawn there. */
  readonly why: string;
}

/** Something that only some rooms may touch, whatever they import. */
export interface Reserved {
  /** Globals (`Deno.env`) and modules (`node:tls`). */
  readonly uses: readonly string[];
  readonly rooms: readonly string[];
  readonly why: string;
}

const TIME = ["Date", "performance", "setTimeout", "setInterval"];
const ROOT = "cli, app.ts, main.ts";

/** Every room. A file belongs to the room with the longest place that fits. */
export const ROOMS: readonly Room[] = [
  {
    name: "base",
    places: ["base"],
    mayImport: [],
    mustNotUse: ["Deno"],
    why: "leaves stay leaves",
  },
  {
    name: "mail",
    places: ["mail"],
    mayImport: ["base"],
    mustNotUse: ["Deno", "fetch"],
    why: "it holds the words all rooms share",
  },
  {
    name: "smtp/wire",
    places: ["smtp/wire"],
    mayImport: ["base", "mail"],
    mustNotUse: ["Deno", "fetch", ...TIME],
    why: "it turns bytes to values and back, for server and client alike",
  },
  {
    name: "smtp/server",
    places: ["smtp/server"],
    mayImport: ["base", "mail", "smtp/wire", "auth", "policy", "reception", "observe"],
    mayImportTypes: ["net/conn.ts"],
    why: "it knows only the MessageSink it declares itself",
  },
  {
    name: "reception",
    places: ["reception"],
    mayImport: ["base", "mail", "policy", "observe"],
    mayImportTypes: ["auth/authenticator.ts", "net/conn.ts"],
    mustNotUse: ["Deno", "fetch"],
    why: "it judges mail by the values it is handed, whichever way that comes in",
  },
  {
    name: "smtp/client",
    places: ["smtp/client"],
    mayImport: ["base", "mail", "smtp/wire"],
    mayImportTypes: ["net/conn.ts"],
    why: "it speaks; it does not decide or retry",
  },
  {
    name: "net",
    places: ["net"],
    mayImport: ["base"],
    why: "it moves octets and knows nothing of mail",
  },
  {
    name: "auth",
    places: ["auth"],
    mayImport: ["base", "mail"],
    why: "it answers who this is, for any protocol",
  },
  {
    name: "policy",
    places: ["policy"],
    mayImport: ["base", "mail"],
    mustNotUse: ["Deno", "fetch"],
    why: "facts in, decision out",
  },
  {
    name: "authentication",
    places: ["authentication"],
    mayImport: ["base", "policy/network.ts"],
    mayImportTypes: ["net/resolver.ts", "signing/arc/method_result.ts"],
    mustNotUse: ["Deno", "fetch"],
    why: "it judges who mail is from by what the DNS says, and accepts nothing",
  },
  {
    name: "signing",
    places: ["signing"],
    mayImport: ["base", "mail"],
    mustNotUse: ["Deno", "fetch"],
    why: "it holds private keys and knows nothing of where mail comes from or goes",
  },
  {
    name: "queue",
    places: ["queue"],
    mayImport: ["base", "mail", "observe"],
    why: "it stores and schedules; it does not know how mail leaves",
  },
  {
    name: "delivery",
    places: ["delivery"],
    mayImport: ["base", "mail", "queue", "smtp/client", "net", "observe"],
    why: "it claims, picks a transport and records outcomes",
  },
  {
    name: "relay/http",
    places: ["relay/http.ts", "relay/http"],
    mayImport: ["base", "mail"],
    mayImportTypes: ["delivery/transport.ts"],
    why: "it is what all providers share and knows none of them",
  },
  {
    name: "relay/<provider>",
    places: ["relay"],
    mayImport: ["base", "mail", "relay/http"],
    mayImportTypes: ["delivery/transport.ts"],
    why: "each provider is a folder that stands alone",
  },
  {
    name: "relay/mod.ts",
    places: ["relay/mod.ts"],
    mayImport: ["relay/http", "relay/<provider>", "relay/schemas.ts"],
    mayImportTypes: ["delivery/transport.ts"],
    why: "it lists the providers and does nothing else",
  },
  {
    name: "relay/schemas.ts",
    places: ["relay/schemas.ts"],
    mayImport: ["relay/<provider>"],
    why: "it lists what the config file may say of providers, and starts none",
  },
  {
    name: "ingress",
    places: ["ingress"],
    mayImport: [
      "base",
      "mail",
      "smtp/wire",
      "policy",
      "reception",
      "observe",
      "queue/store.ts",
      "queue/shelf.ts",
    ],
    mayImportTypes: ["smtp/server/sink.ts"],
    why: "it brings mail from HTTP to the same rules and the same sink as SMTP",
  },
  {
    name: "webhooks",
    places: ["webhooks"],
    mayImport: ["base", "mail", "queue/outbox.ts", "observe"],
    why: "it tells others what the outbox holds, and causes nothing",
  },
  {
    name: "feedback",
    places: ["feedback"],
    mayImport: [
      "base",
      "mail",
      "observe",
      "queue/store.ts",
      "queue/outbox.ts",
      "queue/mailbox.ts",
      "queue/shelf.ts",
      "queue/suppressions.ts",
    ],
    mayImportTypes: ["delivery/transport.ts"],
    why: "it reads what others tell of mail that left, and takes it to the lists and the timelines",
  },
  {
    name: "provider_events",
    places: ["provider_events"],
    mayImport: [
      "base",
      "mail",
      "observe",
      "policy/network.ts",
      "feedback/desk.ts",
      "queue/store.ts",
      "queue/shelf.ts",
      "queue/remote_ids.ts",
      "relay/http/fields.ts",
    ],
    why: "it proves and reads what providers tell of mail, and hands it to the desk",
  },
  {
    name: "admin",
    places: ["admin"],
    mayImport: ["base", "mail", "queue/store.ts", "queue/queue.ts", "policy", "observe"],
    why: "it is a Hono app built from ports",
  },
  {
    name: "config",
    places: ["config"],
    mayImport: ["base", "relay/schemas.ts", "webhooks/event_types.ts"],
    why: "it parses to a frozen value and starts nothing",
  },
  {
    name: "observe",
    places: ["observe"],
    mayImport: ["base", "mail"],
    why: "it declares events and takes them; it causes none",
  },
  {
    name: ROOT,
    places: ["cli", "app.ts", "app", "main.ts"],
    mayImport: ["*"],
    why: "nothing imports the place where everything is put together",
  },
];

/** What is kept to some rooms. */
export const RESERVED: readonly Reserved[] = [
  {
    uses: [
      "Deno.listen",
      "Deno.listenTls",
      "Deno.listenDatagram",
      "Deno.serve",
      "Deno.connect",
      "Deno.connectTls",
      "Deno.startTls",
      "Deno.resolveDns",
      "node:http",
      "node:net",
      "node:tls",
      "node:dns",
      "node:dns/promises",
      "node:dgram",
    ],
    rooms: ["net"],
    why: "net is the only room that opens sockets and resolves names",
  },
  {
    uses: [
      "Deno.args",
      "Deno.env",
      "Deno.exit",
      "Deno.addSignalListener",
      "Deno.removeSignalListener",
      "node:process",
    ],
    rooms: [ROOT],
    why: "arguments, environment and signals are read in one place and handed on",
  },
  {
    uses: ["node:sqlite"],
    rooms: ["queue"],
    why: "the queue is the only room with a database",
  },
];

/** The room of a file below `src/`; null when it stands in none. */
export function roomOf(path: string): Room | null {
  let found: Room | null = null;
  let longest = -1;
  for (const room of ROOMS) {
    for (const place of room.places) {
      if (place.length > longest && isWithin(path, place)) {
        found = room;
        longest = place.length;
      }
    }
  }
  return found;
}

/** One import statement between two files below `src/`. */
export interface ImportFacts {
  readonly from: string;
  readonly to: string;
  /** Whether only types come through it. */
  readonly typeOnly: boolean;
}

/** What is wrong with an import, in one sentence; null when it is allowed. */
export function importProblem({ from, to, typeOnly }: ImportFacts): string | null {
  const room = roomOf(from);
  if (room === null || isAllowedImport({ room, from, to, typeOnly })) return null;
  return `${room.name} must not import ${to}. It may import ${
    allowance(room)
  }, because ${room.why}.`;
}

/** What is wrong with importing `to`, a path beside `/src/`; null when it is allowed. */
export function outsideProblem({ from, to }: { from: string; to: string }): string | null {
  const room = roomOf(from);
  if (room?.name === ROOT && to === "/deno.json") return null;
  return `src must not import ${to}, which stands outside of it.`;
}

/** What is wrong with touching a global or an outside module; null when it is allowed. */
export function useProblem({ from, use }: { from: string; use: string }): string | null {
  const room = roomOf(from);
  if (room === null) return null;
  if (room.mustNotUse?.some((banned) => use === banned || use.startsWith(`${banned}.`))) {
    return `${room.name} must not use ${use}, because ${room.why}.`;
  }
  const reserved = RESERVED.find(({ uses }) => uses.includes(use));
  if (reserved === undefined || reserved.rooms.includes(room.name) || room.name === ROOT) {
    return null;
  }
  return `${room.name} must not use ${use}, because ${reserved.why}.`;
}

function isAllowedImport(
  { room, from, to, typeOnly }: ImportFacts & { room: Room },
): boolean {
  const target = roomOf(to);
  if (target === room) return room.name !== "relay/<provider>" || folderOf(from) === folderOf(to);
  if (room.mayImport.includes("*")) return true;
  if (target !== null && room.mayImport.includes(target.name)) return true;
  if (room.mayImport.includes(to)) return true;
  return typeOnly && (room.mayImportTypes?.includes(to) ?? false);
}

function allowance(room: Room): string {
  const types = room.mayImportTypes?.map((file) => `the types of ${file}`) ?? [];
  const all = [...room.mayImport, ...types];
  return all.length === 0 ? "nothing of the other rooms" : all.join(", ");
}

/** The first two parts of a path: `relay/mailgun` of `relay/mailgun/config.ts`. */
function folderOf(path: string): string {
  return path.split("/").slice(0, 2).join("/");
}

function isWithin(path: string, place: string): boolean {
  return path === place || path.startsWith(`${place}/`);
}
