import { refusalIn, type SyncCheck } from "../check.ts";
import type { MailRequest } from "../facts.ts";

/** Tells a client at MAIL, not after its whole message, that the store takes none now. */
export const storeAvailable: SyncCheck<MailRequest> = {
  name: "store",
  about: "whether the queue takes messages now",
  judge: (_, { store }) => store === null ? null : refusalIn(store.judge()),
};
