import type { DeliveryJob } from "../../delivery/transport.ts";
import type { Reply } from "../../mail/reply.ts";
import { replyOf } from "./outcome.ts";

/**
 * What the sender was promised of the whole way and an API promises nothing of: TLS (RFC 8689
 * section 4.2.1), and a return when it takes too long (RFC 2852 section 4.1.4). A notification
 * goes in any case (RFC 8689 section 5).
 */
export function brokenPromise(
  { extras = {}, reversePath }: DeliveryJob["message"],
  { api }: { api: string },
): Reply | null {
  if (extras.requireTls === true && reversePath !== "") {
    return replyOf("5.7.30", `${api} does not guarantee TLS after it (REQUIRETLS)`);
  }
  if (extras.deliverBy?.mode !== "R") return null;
  return replyOf("5.3.3", `${api} does not guarantee a delivery time (DELIVERBY)`);
}
