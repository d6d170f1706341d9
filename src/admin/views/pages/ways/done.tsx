import { Notice } from "../../parts/boxes.tsx";
import { counted } from "../../parts/quantity.ts";

const SAID: Readonly<Record<string, (number: number) => string>> = {
  paused: () => "Paused. What waits for it stays in the queue.",
  resumed: () => "Resumed. What waited is due now.",
  unpaused: () => "It was not paused any more.",
  flushed: (number) => `${counted(number, "message")} made due now.`,
  reset: () => "Forgotten that it was down; the next message tries it.",
};

/** What was just done, said in our own words whatever the address says. */
export function WayDone({ did, n }: { did: string | undefined; n: string | undefined }) {
  const said = did !== undefined && Object.hasOwn(SAID, did) ? SAID[did] : undefined;
  if (said === undefined) return null;
  const number = /^\d{1,12}$/.test(n ?? "") ? Number(n) : 0;
  return <Notice tone="good">{said(number)}</Notice>;
}
