import { assert, assertEquals } from "@std/assert";
import { openMemoryStore } from "../../src/queue/memory/store.ts";
import { SuppressionList } from "../../src/queue/suppressions.ts";
import { ManualClock } from "../support/manual_clock.ts";

function listOver(clock = new ManualClock()) {
  const { shelf } = openMemoryStore({ clock });
  return { clock, shelf, list: new SuppressionList({ shelf, clock }) };
}

const BOUNCED = { reason: "no such mailbox", source: "mailgun", expiresAtMs: null };

Deno.test("suppressions: spellings of one mailbox are one", async () => {
  const { list } = listOver();
  await list.add({ ...BOUNCED, address: "Ada@Dest.Example" });
  for (const spelling of ["ada@dest.example", "ADA@dest.EXAMPLE"]) {
    assert(list.mayHave(spelling), spelling);
    assertEquals((await list.find(spelling))?.reason, "no such mailbox");
  }
  assert(!list.mayHave("bob@dest.example"));
});

Deno.test("suppressions: they outlive the process, and are let go", async () => {
  const { list, shelf, clock } = listOver();
  for (let count = 0; count < 2_500; count++) {
    await list.add({ ...BOUNCED, address: `user${count}@dest.example` });
  }
  const later = new SuppressionList({ shelf, clock });
  await later.load();
  assert(later.mayHave("user0@dest.example") && later.mayHave("user2499@dest.example"));
  assertEquals(await later.remove("user0@dest.example"), true);
  assertEquals(await later.remove("user0@dest.example"), false);
  assertEquals(await later.find("user0@dest.example"), null);
});

Deno.test("suppressions: what others add to the store is seen once it is looked at", async () => {
  const { list: mine, shelf, clock } = listOver();
  const theirs = new SuppressionList({ shelf, clock });
  await mine.load();
  await theirs.add({ ...BOUNCED, address: "ada@dest.example" });
  await mine.add({ ...BOUNCED, address: "bob@dest.example" });
  assert(!mine.mayHave("ada@dest.example"));
  await mine.refresh();
  assert(mine.mayHave("ada@dest.example") && mine.mayHave("bob@dest.example"));
  await theirs.refresh();
  assert(theirs.mayHave("bob@dest.example"));
});

Deno.test("suppressions: a look is cheap where nobody changed anything", async () => {
  const { list, shelf } = listOver();
  await list.add({ ...BOUNCED, address: "ada@dest.example" });
  await list.load();
  let pages = 0;
  const read = shelf.list.bind(shelf);
  shelf.list = (request) => {
    pages += 1;
    return read(request);
  };
  await list.refresh();
  assertEquals(pages, 0);
});

Deno.test("suppressions: one that has a time ends with it", async () => {
  const { list, clock } = listOver();
  const expiresAtMs = clock.now() + 1_000;
  await list.add({ ...BOUNCED, address: "ada@dest.example", expiresAtMs });
  assertEquals((await list.find("ada@dest.example"))?.expiresAtMs, expiresAtMs);
  await clock.advance(1_000);
  assertEquals(await list.find("ada@dest.example"), null);
});

Deno.test("suppressions: are listed page by page", async () => {
  const { list } = listOver();
  for (const name of ["c", "a", "b"]) {
    await list.add({ ...BOUNCED, address: `${name}@dest.example` });
  }
  await list.add({ ...BOUNCED, address: "d@other.example" });
  const first = await list.list({ text: "@dest.", limit: 2 });
  assertEquals(first.items.map(({ address }) => address), ["a@dest.example", "b@dest.example"]);
  const next = await list.list({ text: "@dest.", limit: 2, cursor: first.cursor ?? "" });
  assertEquals(next.items.map(({ address }) => address), ["c@dest.example"]);
  assertEquals(next.cursor, null);
});
