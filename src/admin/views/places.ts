import type { AdminPorts, Role } from "../ports.ts";
import { count } from "./parts/quantity.ts";
import type { IconName } from "./parts/icon.tsx";

/** A page of the navigation. */
export interface Place {
  readonly path: string;
  readonly name: string;
  readonly icon: IconName;
  /** The letter that follows `g`. */
  readonly key: string;
  /** Who it is for; absent means everybody. */
  readonly role?: Role;
  /** A number that tells whether to go there. */
  readonly count?: { readonly text: string; readonly isBad: boolean; readonly says: string };
}

/** Places that belong together. */
export interface PlaceGroup {
  readonly title: string;
  readonly places: readonly Place[];
}

/** The pages that this relay has. */
export async function placesOf(
  ports: AdminPorts,
  may: (role: Role) => boolean,
): Promise<readonly PlaceGroup[]> {
  const groups: readonly PlaceGroup[] = [
    {
      title: "Mail",
      places: [
        { path: "/", name: "Overview", icon: "overview", key: "o" },
        { path: "/queue", name: "Queue", icon: "queue", key: "q", ...await queueCount(ports) },
        ...(ports.submission === undefined ? [] : [
          {
            path: "/compose",
            name: "Compose",
            icon: "compose",
            key: "c",
            role: "operator",
          } as const,
        ]),
        { path: "/log", name: "Log", icon: "log", key: "l" },
      ],
    },
    {
      title: "Delivery",
      places: [
        {
          ...{ path: "/destinations", name: "Destinations", icon: "destinations", key: "d" },
          ...downCount(ports.destinations.list()),
        },
        {
          ...{ path: "/transports", name: "Transports", icon: "transports", key: "t" },
          ...downCount(ports.transports.list()),
        },
        { path: "/routes", name: "Routes", icon: "routes", key: "r" },
        ...(ports.suppressions === undefined ? [] : [
          { path: "/suppressions", name: "Suppressions", icon: "suppressions", key: "s" } as const,
        ]),
      ],
    },
    {
      title: "Relay",
      places: [
        { path: "/config", name: "Config", icon: "file", key: "f" },
        ...(ports.preflight === undefined
          ? []
          : [{ path: "/preflight", name: "Preflight", icon: "preflight", key: "p" } as const]),
        ...(ports.webhooks === undefined
          ? []
          : [{ path: "/webhooks", name: "Webhooks", icon: "webhooks", key: "w" } as const]),
        { path: "/access", name: "Access", icon: "access", key: "a", role: "admin" },
      ],
    },
  ];
  return groups.map(({ title, places }) => ({
    title,
    places: places.filter(({ role }) => role === undefined || may(role)),
  }));
}

async function queueCount({ queue }: AdminPorts): Promise<Pick<Place, "count">> {
  try {
    const { liveMessages } = await queue.stats();
    return { count: { text: count(liveMessages), isBad: false, says: "messages" } };
  } catch {
    return {}; // the page itself says what is wrong with the queue
  }
}

function downCount(ways: readonly { readonly state: string }[]): Pick<Place, "count"> {
  const down = ways.filter(({ state }) => state === "down" || state === "probing").length;
  return down === 0 ? {} : { count: { text: count(down), isBad: true, says: "down" } };
}
