import { Notice } from "../../parts/boxes.tsx";
import { counted } from "../../parts/quantity.ts";

const SAID: Readonly<Record<string, (number: number) => string>> = {
  paused: () => "Paused. Waiting mail stays in the queue.",
  resumed: () => "Resumed. Waiting mail is due now.",
  unpaused: () => "It was no longer paused.",
  flushed: (number) => `${counted(number, "message")} due now.`,
  reset: () => "Cleared the failures; the next message tries it.",
};

/** What was just done, said in our own words whatever the address says. */
export function WayDone({ did, n }: { did: string | undefined; n: string | undefined }) {
  const said = did !== undefined && Object.hasOwn(SAID, did) ? SAID[did] : undefined;
  if (said === undefined) return null;
  const number = /^\d{1,12}$/.test(n ?? "") ? Number(n) : 0;
  return <Notice tone="good">{said(number)}</Notice>;
}
