import { assertEquals } from "@std/assert";
import type { Origin } from "../../src/mail/envelope.ts";
import { addressLiteral, formatReceived } from "../../src/mail/received.ts";

const ORIGIN: Origin = {
  listener: "smtp",
  clientAddress: "192.0.2.1",
  clientPort: 40_000,
  helo: "client.example",
  protocol: "ESMTP",
};
const FACTS = { by: "relay.example", id: "0123456789ABCDEF", atMs: Date.UTC(2026, 10, 5, 4, 3, 2) };

Deno.test("received: one recipient is named", () => {
  assertEquals(
    formatReceived({ ...FACTS, origin: ORIGIN, forwardPath: "c@example.com" }),
    "Received: from client.example ([192.0.2.1])\r\n" +
      "\tby relay.example with ESMTP\r\n" +
      "\tid 0123456789ABCDEF\r\n" +
      "\tfor <c@example.com>;\r\n" +
      "\tThu, 05 Nov 2026 04:03:02 +0000\r\n",
  );
});

Deno.test("received: TLS is told in a comment, IPv6 as a literal", () => {
  const origin = {
    ...ORIGIN,
    clientAddress: "2001:db8::1",
    protocol: "ESMTPS",
    tls: "TLSv1.3 TLS_AES_256_GCM_SHA384",
  };
  assertEquals(
    formatReceived({ ...FACTS, origin }),
    "Received: from client.example ([IPv6:2001:db8::1])\r\n" +
      "\tby relay.example with ESMTPS (TLSv1.3 TLS_AES_256_GCM_SHA384)\r\n" +
      "\tid 0123456789ABCDEF;\r\n" +
      "\tThu, 05 Nov 2026 04:03:02 +0000\r\n",
  );
});

Deno.test("received: a name that is no domain cannot leave its comment", () => {
  const origin = { ...ORIGIN, helo: "a) by evil (\\\u00e9" };
  const [first] = formatReceived({ ...FACTS, origin }).split("\r\n");
  assertEquals(
    first,
    "Received: from [192.0.2.1] ([192.0.2.1]) (HELO a\\) by evil \\(\\\\?)",
  );
});

Deno.test("address literal: both families, mapped addresses, zones, and none", () => {
  assertEquals(addressLiteral("192.0.2.1"), "[192.0.2.1]");
  assertEquals(addressLiteral("::ffff:192.0.2.1"), "[192.0.2.1]");
  assertEquals(addressLiteral("fe80::1%eth0"), "[IPv6:fe80::1]");
  assertEquals(addressLiteral("/run/posthouse.sock"), "[unknown]");
});

Deno.test("received: names in U-labels are written in A-labels", () => {
  const origin = { ...ORIGIN, helo: "Bücher.example" };
  const field = formatReceived({ ...FACTS, origin, forwardPath: "c@bücher.example" });
  assertEquals(field.split("\r\n\t")[0], "Received: from xn--bcher-kva.example ([192.0.2.1])");
  assertEquals(field.split("\r\n\t")[3], "for <c@xn--bcher-kva.example>;");
});
