import type { Sky, TransportPlan } from "./plan.ts";

/** What a session asks of the world around its server. */
export interface HostWorld {
  readonly plan: TransportPlan;
  /** The weather for the message to a first recipient. */
  skyFor(mailbox: string): Sky | null;
  roll(name: string): number;
  /** The message is complete, and the server has it. */
  take(mailboxes: readonly string[], data: string): void;
  refuse(mailbox: string): void;
  /** It has enough recipients, and wants this one in another transaction. */
  tooMany(mailbox: string): void;
  /** It takes this recipient in the present transaction. */
  hasRoom(mailbox: string): void;
  /** Writes a reply, in lines that end in CRLF. */
  say(text: string): void;
  /** Ends the connection: `reset` loses what is under way. */
  end(how: "close" | "reset"): void;
}

const STAGES = ["MAIL", "RCPT", "DATA", "."] as const;

/** One session of an SMTP server that keeps to RFC 5321, as far as the weather lets it. */
export class SmtpHost {
  readonly #world: HostWorld;
  readonly #decoder = new TextDecoder("latin1");
  #buffer = "";
  #isInData = false;
  #isSilent = false;
  #recipients: string[] = [];
  #sky: Sky | null = null;
  /** Where what the weather wants happens. */
  #stage: typeof STAGES[number] = ".";

  constructor(world: HostWorld) {
    this.#world = world;
    this.#say("220 mx.next-hop.example ESMTP");
  }

  feed(octets: Uint8Array): void {
    this.#buffer += this.#decoder.decode(octets);
    while (this.#isInData ? this.#readData() : this.#readLine());
  }

  #readLine(): boolean {
    const end = this.#buffer.indexOf("\r\n");
    if (end === -1) return false;
    const line = this.#buffer.slice(0, end);
    this.#buffer = this.#buffer.slice(end + 2);
    this.#command(line);
    return true;
  }

  #readData(): boolean {
    const whole = `\r\n${this.#buffer}`;
    const end = whole.indexOf("\r\n.\r\n");
    if (end === -1) return false;
    const data = this.#buffer.slice(0, end);
    this.#buffer = whole.slice(end + 5);
    this.#isInData = false;
    this.#endOfData(data);
    return true;
  }

  #command(line: string): void {
    const verb = line.slice(0, 4).toUpperCase();
    switch (verb) {
      case "EHLO":
      case "LHLO":
        return this.#say(...EXTENSIONS, `250 SIZE ${this.#world.plan.limitBytes}`);
      case "MAIL":
        this.#reset();
        return this.#say("250 2.1.0 OK");
      case "RCPT":
        return this.#recipient(/<(.*?)>/.exec(line)?.[1] ?? "");
      case "DATA":
        if (this.#recipients.length === 0) return this.#say("554 5.5.1 No valid recipients");
        if (this.#strikes("DATA")) return;
        this.#isInData = true;
        return this.#say("354 Go ahead");
      case "RSET":
        this.#reset();
        return this.#say("250 2.0.0 OK");
      case "QUIT":
        this.#say("221 2.0.0 Bye");
        return this.#world.end("close");
      default:
        return this.#say("250 2.0.0 OK");
    }
  }

  #recipient(mailbox: string): void {
    if (this.#recipients.length === 0 && this.#sky === null) {
      this.#sky = this.#world.skyFor(mailbox);
      this.#stage = STAGES[Math.floor(this.#world.roll(`stage ${mailbox}`) * STAGES.length)] ?? ".";
    }
    if (this.#sky === "greylist") return this.#say("451 4.7.1 Greylisted, come again");
    if (this.#sky === "reject" || mailbox.startsWith("no")) {
      this.#world.refuse(mailbox);
      return this.#say("550 5.1.1 No such user");
    }
    if (LIMITS.has(this.#sky)) return this.#say("450 4.2.1 Rate limited, try again later");
    if (this.#strikes("MAIL") || this.#strikes("RCPT")) return;
    if (this.#recipients.length >= this.#world.plan.serverRecipients) {
      this.#world.tooMany(mailbox);
      const is552 = this.#world.plan.serverRecipients % 2 === 1;
      return this.#say(is552 ? "552 Too many recipients" : "452 4.5.3 Too many recipients");
    }
    this.#world.hasRoom(mailbox);
    this.#recipients.push(mailbox);
    this.#say("250 2.1.5 OK");
  }

  #endOfData(data: string): void {
    const recipients = this.#recipients;
    const first = recipients[0] ?? "";
    if (this.#world.plan.isLmtp) return this.#answerEach(data);
    if (this.#sky === "uncertain") {
      if (this.#world.roll(`taken ${first}`) < 0.5) this.#world.take(recipients, data);
      return this.#world.end("reset");
    }
    if (this.#strikes(".")) return;
    this.#world.take(recipients, data);
    this.#reset();
    this.#say("250 2.0.0 Taken");
  }

  /** A reply for each recipient (RFC 2033 section 4.2), until the weather strikes. */
  #answerEach(data: string): void {
    const recipients = this.#recipients;
    const roll = this.#world.roll(`answers ${recipients[0]}`);
    const strikesAt = Math.floor(roll * recipients.length);
    for (const [place, mailbox] of recipients.entries()) {
      const isReset = this.#sky === "uncertain";
      if (place === strikesAt && (isReset || this.#strikes("."))) {
        // What it has not answered for it may have all the same.
        if (this.#world.roll(`taken ${mailbox}`) < 0.5) {
          this.#world.take(recipients.slice(place), data);
        }
        return isReset ? this.#world.end("reset") : undefined;
      }
      if (this.#world.roll(`quota ${mailbox}`) < 0.1) this.#say("452 4.2.2 Mailbox full");
      else {
        this.#world.take([mailbox], data);
        this.#say("250 2.0.0 Taken");
      }
    }
    this.#reset();
  }

  /** Whether the weather strikes at a stage, where it does. */
  #strikes(stage: typeof STAGES[number]): boolean {
    if (stage !== this.#stage) return false;
    switch (this.#sky) {
      case "busy":
        this.#say("421 4.3.2 Shutting down");
        this.#world.end("close");
        return true;
      case "hang":
        this.#isSilent = true;
        return true;
      case "throws":
        this.#say("hello there");
        return true;
      default:
        return false;
    }
  }

  #reset(): void {
    this.#recipients = [];
    this.#sky = null;
  }

  #say(...lines: string[]): void {
    if (!this.#isSilent) this.#world.say(`${lines.join("\r\n")}\r\n`);
  }
}

const EXTENSIONS = [
  ...["250-mx.next-hop.example", "250-PIPELINING", "250-8BITMIME", "250-ENHANCEDSTATUSCODES"],
];
const LIMITS: ReadonlySet<Sky | null> = new Set(["limit", "limit_timed", "slow_down", "pause"]);
