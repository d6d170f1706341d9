import { assertEquals } from "@std/assert";
import { AUTH_LINE_LIMIT_BYTES, AUTH_REPLIES, failureReply } from "../../src/auth/replies.ts";
import { formatReply } from "../../src/mail/reply.ts";

/** RFC 4954 sections 4, 4.1 and 6. */
Deno.test("auth replies: each has the code and the enhanced code of RFC 4954", () => {
  const all = Object.entries(AUTH_REPLIES).map(([name, one]) => `${name}: ${formatReply(one)}`);
  assertEquals(all, [
    "success: 235 2.7.0 Authentication succeeded",
    "unknownMechanism: 504 5.5.4 Unrecognized authentication type",
    "outOfSequence: 503 5.5.1 Bad sequence of commands",
    "encryptionRequired: 538 5.7.11 Encryption required for requested authentication mechanism",
    "required: 530 5.7.0 Authentication required",
  ]);
  assertEquals(
    (["cancelled", "malformed", "too_long", "credentials", "throttled", "unavailable"] as const)
      .map((failure) => formatReply(failureReply(failure))),
    [
      "501 5.7.0 Authentication cancelled",
      "501 5.5.2 Cannot read the authentication response",
      "500 5.5.6 Authentication exchange line is too long",
      "535 5.7.8 Authentication credentials invalid",
      "454 4.7.0 Too many failed authentications, try again later",
      "454 4.7.0 Temporary authentication failure",
    ],
  );
  assertEquals(AUTH_LINE_LIMIT_BYTES, 12_288);
});
