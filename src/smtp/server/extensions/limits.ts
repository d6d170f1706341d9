import type { Extension } from "../extension.ts";

/** LIMITS (RFC 9422): what a session may do, told before it does it. */
export const limits: Extension = {
  name: "LIMITS",
  ehloLine: ({ context }) => {
    const { messages, recipients } = context.limits;
    const mailMax = messages === 0 ? "" : `MAILMAX=${messages} `; // section 4.1
    return `LIMITS ${mailMax}RCPTMAX=${recipients}`; // section 4.2
  },
};
