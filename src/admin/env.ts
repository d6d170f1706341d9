import type { ApiKey, Role } from "./ports.ts";

/** Where a request came from. */
export type Peer =
  | { readonly kind: "tcp"; readonly address: string; readonly isLoopback: boolean }
  /** Anyone who may open the socket file. */
  | { readonly kind: "unix" };

/** Who makes a request. */
export interface Caller {
  /** `open`: no credentials, let in for where it came from. */
  readonly kind: "open" | "key" | "user";
  readonly name: string;
  readonly role: Role;
}

/** Who may hand in mail, and as whom. */
export interface MailSender {
  /** As it stands in timelines and logs. */
  readonly name: string;
  /** What tells it from others of its name. */
  readonly identity: string;
  readonly senders: ApiKey["senders"];
  readonly senderCheck: ApiKey["senderCheck"];
}

/** What handlers find in their context. */
export interface AdminEnv {
  readonly Bindings: { readonly peer?: Peer };
  readonly Variables: {
    /** Null when nobody proved who they are. */
    caller: Caller | null;
    /** Null when who makes the request may not hand in mail. */
    sender: MailSender | null;
    /** For scripts and styles of pages; different for each answer. */
    nonce: string;
  };
}

/** The caller as it stands in timelines and logs. */
export function actorOf(caller: Caller | null): string {
  if (caller === null) return "nobody";
  return caller.kind === "open" ? caller.name : `${caller.kind} ${caller.name}`;
}

/** The address of the caller's computer; empty for a local socket. */
export function addressOf(peer: Peer | undefined): string {
  return peer?.kind === "tcp" ? peer.address : "";
}
