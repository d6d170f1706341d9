import type { ListenerInfo } from "../admin/ports.ts";
import type { ListenerConfig } from "../config/sections/listeners.ts";
import { formatEndpoint } from "../net/endpoint.ts";
import type { ReceptionRules } from "../reception/rules.ts";
import { FrontDoor, type ServerSettings } from "./front_door.ts";

/** Every listening socket of the relay, and the sessions that came through them. */
export class Doors {
  #open: FrontDoor[] = [];
  /** Those that a reload closed, as long as sessions that came through them go on. */
  #closed: FrontDoor[] = [];

  /** Where SMTP is accepted, with the real port also where the configuration says 0. */
  get listeners(): readonly ListenerInfo[] {
    return this.#open.flatMap(({ config: { name, address }, port, sessions }) =>
      port === null ? [] : [{ name, address, port, sessions }]
    );
  }

  /** What the sessions of a listener are judged by; null where none has the name. */
  rulesOf(listener: string): ReceptionRules | null {
    return this.#open.find(({ config: { name } }) => name === listener)?.rules ?? null;
  }

  /**
   * Listens where the configuration wants it and nowhere else. Doors that stay open serve new
   * sessions by the settings.
   *
   * @throws ListenError when a new one cannot listen; the others are as they should be.
   */
  async use(listeners: readonly ListenerConfig[], settings: ServerSettings): Promise<void> {
    const wanted = new Map(listeners.map((listener) => [addressKey(listener), listener]));
    const kept: FrontDoor[] = [];
    this.#closed = this.#closed.filter(({ sessions }) => sessions > 0);
    for (const door of this.#open) {
      const key = addressKey(door.config);
      const listener = wanted.get(key);
      if (listener === undefined) {
        door.close();
        this.#closed.push(door);
        continue;
      }
      wanted.delete(key);
      door.reload(listener, settings);
      kept.push(door);
    }
    this.#open = kept;
    for (const listener of wanted.values()) {
      const door = new FrontDoor(listener, settings);
      await door.open();
      this.#open.push(door);
    }
  }

  /** Closes all; sessions end their message, at the latest when the signal aborts. */
  async shutdown(options: { readonly signal: AbortSignal }): Promise<void> {
    const doors = [...this.#open, ...this.#closed];
    await Promise.all(doors.map((door) => door.shutdown(options)));
  }
}

function addressKey({ address, port }: { address: string; port: number }): string {
  return formatEndpoint({ address, port });
}
