import { assertEquals } from "@std/assert";
import { formatHop } from "../../../src/delivery/smtp/outcome.ts";

Deno.test("a hop is told by its name and address, each where it says something", () => {
  const told = [
    { host: "mx.example", address: "192.0.2.1", port: 25 },
    { host: "mx.example", address: "mx.example", port: 587 },
    { host: "192.0.2.1", address: "192.0.2.1", port: 25 },
    { host: "2001:db8::1", address: "2001:db8::1", port: 25 },
    { host: "/run/lmtp", address: "/run/lmtp", port: 0 },
  ].map(formatHop);
  assertEquals(told, [
    ...["mx.example[192.0.2.1]:25", "mx.example:587", "[192.0.2.1]:25", "[2001:db8::1]:25"],
    "/run/lmtp",
  ]);
});
