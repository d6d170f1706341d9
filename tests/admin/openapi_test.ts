import { assert, assertEquals } from "@std/assert";
import { Validator } from "@seriousme/openapi-schema-validator";
import { adminSetup } from "./app_setup.ts";

Deno.test("the OpenAPI document is valid, says an independent validator", async () => {
  await using admin = await adminSetup();
  const { status, body } = await admin.json("/api/v1/openapi.json");
  assertEquals(status, 200);
  const result = await new Validator().validate(body);
  assert(result.valid, JSON.stringify(result.errors, null, 2));
  assertEquals(body.openapi, "3.1.0");
});

Deno.test("every operation of the document has a name of its own and says who may use it", async () => {
  await using admin = await adminSetup();
  const { body } = await admin.json("/api/v1/openapi.json");
  const operations = Object.values(body.paths as Record<string, Record<string, unknown>>)
    .flatMap((path) => Object.values(path)) as { operationId: string; description: string }[];
  assert(operations.length > 30, `${operations.length} operations`);
  assertEquals(new Set(operations.map(({ operationId }) => operationId)).size, operations.length);
  for (const { description, operationId } of operations) {
    assert(/role `(viewer|operator|admin)`/.test(description), operationId);
  }
});
