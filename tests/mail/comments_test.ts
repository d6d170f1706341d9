import { assertEquals } from "@std/assert";
import { withoutComments } from "../../src/mail/comments.ts";

Deno.test("comments of a field are left out", () => {
  assertEquals(withoutComments("base64 (as ever)").trim(), "base64");
  assertEquals(withoutComments("(a)7bit(b)"), "7bit");
  assertEquals(withoutComments("7bit"), "7bit");
  assertEquals(withoutComments("7bit (not closed"), "7bit (not closed");
  assertEquals(withoutComments(")7bit("), ")7bit(");
});

Deno.test("comments: a field of nothing but parentheses is read in one go", () => {
  const opened = "(".repeat(2_000_000);
  assertEquals(withoutComments(opened), opened);
});
