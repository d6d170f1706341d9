import { leaseCases } from "./conformance/leases.ts";
import { claimCases } from "./conformance/claims.ts";
import { commandCases } from "./conformance/commands.ts";
import { listingCases } from "./conformance/listing.ts";
import { messageCases } from "./conformance/messages.ts";
import { outboxCases } from "./conformance/outbox.ts";
import { queryCases } from "./conformance/queries.ts";
import { settleCases } from "./conformance/settlements.ts";
import { assertShapeFits, shapeCases } from "./conformance/shape.ts";
import { sharingCases } from "./conformance/sharing.ts";
import { shelfCases } from "./conformance/shelf.ts";
import type { OpenStore } from "./conformance/case.ts";

const CASES = [
  ...messageCases,
  ...claimCases,
  ...leaseCases,
  ...settleCases,
  ...commandCases,
  ...queryCases,
  ...listingCases,
  ...sharingCases,
  ...shapeCases,
  ...shelfCases,
  ...outboxCases,
];

/** Registers the tests that every store must pass. `open` gives an empty store each time. */
export function testStore(name: string, open: OpenStore): void {
  for (const { title, run } of CASES) {
    Deno.test(`${name}: ${title}`, async () => {
      await using opened = await open();
      await run(opened.store);
      await assertShapeFits(opened.store);
    });
  }
}
