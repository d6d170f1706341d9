import { assertEquals } from "@std/assert";
import { concatBytes } from "../../../src/base/bytes.ts";
import {
  base64Body,
  bytesBody,
  jsonTextBody,
  rawBody,
  type RequestBody,
  textBody,
} from "../../../src/relay/http/body.ts";
import { jsonBody, JsonStream } from "../../../src/relay/http/json.ts";
import { jobOf, UTF8 } from "../messages.ts";

async function octetsOf(body: RequestBody): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of body.stream()) chunks.push(chunk);
  const octets = concatBytes(chunks);
  assertEquals(octets.length, body.lengthBytes); // the length that was promised
  return octets;
}

async function textOf(body: RequestBody): Promise<string> {
  return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(await octetsOf(body));
}

Deno.test("body: base64 does not depend on how the octets are cut", async () => {
  const octets = crypto.getRandomValues(new Uint8Array(1000));
  for (const length of [0, 1, 2, 3, 4, 999, 1000]) {
    const part = octets.subarray(0, length);
    for (const pieceBytes of [1, 2, 3, 5, 64, 1000]) {
      const { body } = jobOf(part, { recipients: [], pieceBytes });
      assertEquals(await textOf(base64Body(rawBody(body))), part.toBase64());
    }
  }
});

Deno.test("body: more than one window is encoded as one", async () => {
  const octets = crypto.getRandomValues(new Uint8Array(60_000));
  const large = concatBytes([octets, octets, octets]);
  assertEquals(await textOf(base64Body(bytesBody(large))), large.toBase64());
  const text = "é\r\n".repeat(40_000);
  const inside = await jsonTextBody(jobOf(text, { recipients: [] }).body);
  assertEquals(inside !== null && await textOf(inside), JSON.stringify(text).slice(1, -1));
});

Deno.test("body: characters are not lost where the octets are cut", async () => {
  for (let pieceBytes = 1; pieceBytes < 9; pieceBytes++) {
    const inside = await jsonTextBody(jobOf(UTF8, { recipients: [], pieceBytes }).body);
    assertEquals(inside !== null && JSON.parse(`"${await textOf(inside)}"`), UTF8);
  }
});

Deno.test("body: octets that are no UTF-8 are no text", async () => {
  for (const octets of [[0xe9], [0x61, 0xc3], [0xed, 0xa0, 0x80], [0xf0, 0x9f, 0x99]]) {
    for (const pieceBytes of [1, 2, 100]) {
      const { body } = jobOf(Uint8Array.from(octets), { recipients: [], pieceBytes });
      assertEquals(await jsonTextBody(body), null);
    }
  }
});

Deno.test("body: streams stand in JSON where they belong", async () => {
  const value = {
    text: 'a "b"',
    absent: undefined,
    list: [1, true, null, new JsonStream(base64Body(textBody("hello"))), {}],
    empty: { absent: undefined },
    last: new JsonStream(textBody("")),
  };
  assertEquals(JSON.parse(await textOf(jsonBody(value))), {
    text: 'a "b"',
    list: [1, true, null, btoa("hello"), {}],
    empty: {},
    last: "",
  });
});
