import { assertEquals } from "@std/assert";
import { lookupsOfMessage } from "../../../src/signing/verify/public_key.ts";

Deno.test("a message asks for each key once, and for no more than thirty", async () => {
  const asked: string[] = [];
  const txt = lookupsOfMessage((name) => {
    asked.push(name);
    return Promise.resolve({ kind: "none" });
  });
  for (let round = 0; round < 2; round++) {
    for (let index = 0; index < 60; index++) {
      const { kind } = await txt(`s${index}._domainkey.source.test`);
      assertEquals(kind, index < 30 ? "none" : "temporary");
    }
  }
  assertEquals(asked.length, 30);
});
