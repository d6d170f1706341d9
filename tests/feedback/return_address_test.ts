import { assert, assertEquals } from "@std/assert";
import { idGenerator } from "../../src/base/ids.ts";
import { seededRandom } from "../../src/base/random.ts";
import { ReturnAddresses, type ReturnAddressOptions } from "../../src/feedback/return_address.ts";
import { parseMailbox } from "../../src/mail/address.ts";
import { ManualClock } from "../support/manual_clock.ts";

const DAY_MS = 86_400_000;
const OPTIONS: ReturnAddressOptions = {
  ...{ domains: ["bounces.test"], key: "a key of some length", oldKey: null },
  lifetimeMs: 30 * DAY_MS,
};

const ROUTE = { recipient: "Ann@dest.test", senderDomain: "source.test" };

function bench(options: Partial<ReturnAddressOptions> = {}) {
  const clock = new ManualClock();
  const messageId = idGenerator({ clock, random: seededRandom(1) })();
  const addresses = new ReturnAddresses({ ...OPTIONS, ...options });
  return { clock, messageId, addresses };
}

function localPartOf(address: string | null): string {
  const parsed = parseMailbox(address ?? "");
  assert(parsed.kind === "ok", `${address} is no mailbox`);
  return parsed.mailbox.localPart;
}

Deno.test("return address: names message and recipient, within 64 octets, in any case", () => {
  const { clock, messageId, addresses } = bench();
  for (const index of [0, 1, 35, 36, 99_999, 36 ** 4 - 1]) {
    const ref = { messageId, index };
    const localPart = localPartOf(addresses.make(ref, ROUTE));
    assert(localPart.length <= 64); // RFC 5321 4.5.3.1.1
    for (const written of [localPart, localPart.toUpperCase()]) {
      const read = addresses.read(written, clock.now());
      assert(read !== null);
      assertEquals([read.messageId, read.index], [messageId, index]);
      assert(addresses.isFor(read, "ann@DEST.test"));
      assert(!addresses.isFor(read, "bob@dest.test"));
    }
  }
  assertEquals(addresses.make({ messageId, index: 36 ** 4 }, ROUTE), null);
});

Deno.test("return address: no change of it is taken, nor another key's", () => {
  const { clock, messageId, addresses } = bench();
  const localPart = localPartOf(addresses.make({ messageId, index: 3 }, ROUTE));
  for (let at = 0; at < localPart.length; at++) {
    const other = localPart[at] === "1" ? "2" : "1";
    const changed = localPart.slice(0, at) + other + localPart.slice(at + 1);
    assertEquals(addresses.read(changed, clock.now()), null, changed);
  }
  const stranger = new ReturnAddresses({
    ...OPTIONS,
    key: "another key of length",
  });
  assertEquals(stranger.read(localPart, clock.now()), null);
  const successor = new ReturnAddresses({
    ...{ ...OPTIONS, key: "another key of length", oldKey: OPTIONS.key },
  });
  const read = successor.read(localPart, clock.now());
  assert(
    read !== null && read.index === 3 && successor.isFor(read, "ann@dest.test"),
  );
});

Deno.test("return address: ends with its time", () => {
  const { clock, messageId, addresses } = bench();
  const localPart = localPartOf(addresses.make({ messageId, index: 0 }, ROUTE));
  const madeMs = clock.now();
  assert(addresses.read(localPart, madeMs + 30 * DAY_MS) !== null);
  assertEquals(addresses.read(localPart, madeMs + 30 * DAY_MS + 1), null);
  assertEquals(addresses.read(localPart, madeMs - 2 * DAY_MS), null);
});

Deno.test("return address: is in the domain that is nearest to the sender's", () => {
  const domains = ["bounces.one.test", "bounces.two.test", "news.two.test"];
  const { messageId, addresses } = bench({ domains });
  const domainFor = (sender: string) =>
    addresses.make({ messageId, index: 0 }, { ...ROUTE, senderDomain: sender })
      ?.split("@")[1];
  assertEquals(domainFor("one.test"), "bounces.one.test");
  assertEquals(domainFor("two.test"), "bounces.two.test");
  assertEquals(domainFor("news.two.test"), "news.two.test");
  assertEquals(domainFor("a.news.two.test"), "news.two.test");
  assertEquals(domainFor("other.test"), "bounces.one.test");
  assertEquals(domainFor(""), "bounces.one.test");
});

Deno.test("return address: is found in what somebody returns", () => {
  const { clock, messageId, addresses } = bench();
  const address = addresses.make({ messageId, index: 7 }, ROUTE);
  const text = `Return-Path: <${address}>\r\nSubject: b-0-0@bounces.test\r\n`;
  assertEquals(addresses.find(text, clock.now())?.index, 7);
  const elsewhere = text.replace("@bounces.test>", "@bounces.example>");
  assertEquals(addresses.find(elsewhere, clock.now()), null);
});
