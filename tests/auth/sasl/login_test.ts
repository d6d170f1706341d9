import { assertEquals } from "@std/assert";
import { encodeText } from "../../../src/base/bytes.ts";
import { login } from "../../../src/auth/sasl/login.ts";
import { answer, challengeText, expectStep, summaryOf } from "./support.ts";

Deno.test("LOGIN asks for the user, then for the password", () => {
  const first = login.start(null);
  assertEquals(challengeText(first), "Username:");
  const second = answer(first, "tim");
  assertEquals(challengeText(second), "Password:");
  const { username, password } = expectStep(answer(second, "secret"), "check_password");
  assertEquals([username, password], ["tim", "secret"]);
});

Deno.test("LOGIN takes the user as initial response", () => {
  assertEquals(challengeText(login.start(encodeText("tim"))), "Password:");
});

Deno.test("LOGIN refuses an empty user or password and NUL in them", () => {
  assertEquals(summaryOf(login.start(encodeText(""))).split(":")[0], "malformed");
  assertEquals(summaryOf(login.start(encodeText("t\0m"))).split(":")[0], "malformed");
  const asked = login.start(encodeText("tim"));
  for (const password of ["", "a\0b"]) {
    const refusal = "malformed: the LOGIN password is empty or not text";
    assertEquals(summaryOf(answer(asked, password)), refusal);
  }
  const refusal = "malformed: the LOGIN user name is empty or not text";
  assertEquals(summaryOf(login.start(Uint8Array.of(0xff))), refusal);
});
