import { isAscii } from "node:buffer";
import { asciiHeader } from "./ascii_header.ts";
import { findField, headerSection } from "./headers.ts";
import { LineCheck } from "./line_check.ts";
import { isEncoded, type MimeEntity } from "./mime/entity.ts";
import { type MimeVisitor, MimeWalk } from "./mime/walk.ts";
import type { TransferEncoding } from "./transfer_encoding.ts";

/**
 * What the next hop takes: octets up to 127 in lines alone, or all octets in lines (RFC 6152). Both
 * rule out what only BINARYMIME carries (RFC 3030).
 */
export type ConversionTarget = "7bit" | "8bit";

/** What happens to one entity. */
export interface EntityPlan {
  /** What its Content-Transfer-Encoding will say; null leaves the entity as it is. */
  readonly encoding: TransferEncoding | null;
  /**
   * The charset of text to declare, where an entity says nothing of its content (RFC 2045 section
   * 5.2), or that it is a multipart which cannot be split.
   */
  readonly charset: "utf-8" | "unknown-8bit" | null;
  /** The encoding that it has already, where stray octets above 127 in it have to go. */
  readonly cleans: "base64" | "quoted-printable" | null;
  /** Whether its header section has to be written in ASCII. */
  readonly encodesHeader: boolean;
}

/** How a message is brought into the form that a next hop takes. */
export type ConversionPlan =
  | {
    readonly kind: "possible";
    /** In the order of the entities' header sections. */
    readonly entities: readonly EntityPlan[];
    /** Whether a DKIM signature of the message will not verify any more (RFC 6376 section 5.3). */
    readonly breaksSignature: boolean;
    /** Whether octets above 127 around parts, which nobody is shown, become question marks. */
    readonly masksFrame: boolean;
    /** What becomes something else: media types, in words. */
    readonly changed: readonly string[];
    /** About how many octets come out. */
    readonly sizeBytes: number;
  }
  | { readonly kind: "impossible"; readonly reason: ConversionObstacle };

/** Why a message cannot be converted. */
export type ConversionObstacle =
  /** Octets above 127 inside something signed or encrypted, which must stay as it is. */
  | "sealed"
  /** In a kind of content that must not be encoded (RFC 2045 section 6.4). */
  | "unencodable"
  /** A bare CR or LF, or a NUL, where no transfer encoding covers it. */
  | "lines"
  /** In something that claims to be encoded already, or outside of all parts. */
  | "malformed"
  /** In a header field that has no form for them in ASCII, such as an address. */
  | "header"
  /** More parts, or longer header sections, than mail has. */
  | "too_complex";

const ENTITY_LIMIT = 1000;
const LINE_LIMIT_BYTES = 998; // RFC 5322 section 2.1.1

/** Reads through a message and decides what has to become of each of its entities. */
export async function planConversion(
  chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  target: ConversionTarget,
): Promise<ConversionPlan> {
  const survey = new Survey();
  const walk = new MimeWalk(survey);
  for await (const chunk of chunks) {
    walk.push(chunk);
    if (walk.isTooComplex || survey.entities.length > ENTITY_LIMIT) {
      return { kind: "impossible", reason: "too_complex" };
    }
  }
  walk.end();
  if (walk.isTooComplex) return { kind: "impossible", reason: "too_complex" };
  survey.end();
  // Servers that take a bare CR or LF for the end of a line would see another message in it.
  if (!survey.frame.isLines) return { kind: "impossible", reason: "lines" };
  return decide(survey, target);
}

/** What was found out about octets. */
class BodyStats {
  sizeBytes = 0;
  highOctets = 0;
  isUtf8 = true;
  readonly #lines = new LineCheck({ limitBytes: LINE_LIMIT_BYTES });
  readonly #decoder = new TextDecoder("utf-8", { fatal: true });

  /** Whether they are lines that are not too long. */
  get isLines(): boolean {
    return this.#lines.isLines;
  }

  add(octets: Uint8Array): void {
    this.sizeBytes += octets.length;
    if (!isAscii(octets)) this.#addHighOctets(octets);
    this.#lines.add(octets);
  }

  end(): void {
    this.#lines.end();
    if (this.highOctets > 0) this.#checkUtf8(undefined);
  }

  #addHighOctets(octets: Uint8Array): void {
    for (let index = 0; index < octets.length; index++) {
      if ((octets[index] as number) > 127) this.highOctets++;
    }
    this.#checkUtf8(octets);
  }

  #checkUtf8(octets: Uint8Array | undefined): void {
    if (!this.isUtf8) return;
    try {
      if (octets === undefined) this.#decoder.decode();
      else this.#decoder.decode(octets, { stream: true });
    } catch {
      this.isUtf8 = false;
    }
  }
}

/** What was found out about one entity. */
class EntityFacts {
  readonly entity: MimeEntity;
  /** Whether the header section in ASCII is the same or another one; null where there is none. */
  readonly asciiHeader: "same" | "other" | null;
  /** Of a multipart: what stands before its first boundary. */
  body = new BodyStats();
  /** Whether a multipart has a line of its boundary. */
  isSplit = false;

  constructor(header: Uint8Array, entity: MimeEntity) {
    this.entity = entity;
    this.asciiHeader = isAscii(header) ? "same" : asciiHeader(header) === null ? null : "other";
  }
}

class Survey implements MimeVisitor {
  readonly entities: EntityFacts[] = [];
  sizeBytes = 0;
  isSigned = false;
  hasHighOctetsBetween = false;
  /** What no transfer encoding covers: header sections, and what stands around the parts. */
  readonly frame = new LineCheck();
  /** The multipart whose first boundary has not come. */
  #unsplit: EntityFacts | null = null;

  header(octets: Uint8Array, entity: MimeEntity): void {
    this.sizeBytes += octets.length;
    this.frame.add(octets);
    if (this.entities.length === 0) {
      this.isSigned = findField(headerSection(octets), "dkim-signature") !== null;
    }
    const facts = new EntityFacts(octets, entity);
    this.entities.push(facts);
    if (entity.kind === "multipart") this.#unsplit = facts;
  }

  body(octets: Uint8Array): void {
    this.sizeBytes += octets.length;
    this.entities.at(-1)?.body.add(octets);
  }

  bodyEnd(): void {
    this.entities.at(-1)?.body.end();
  }

  delimiter(entity: MimeEntity): void {
    const facts = this.#unsplit;
    if (facts?.entity === entity) {
      if (facts.body.highOctets > 0) this.hasHighOctetsBetween = true;
      facts.body = new BodyStats();
      facts.isSplit = true;
    } else facts?.body.end();
    this.#unsplit = null;
  }

  between(octets: Uint8Array): void {
    this.sizeBytes += octets.length;
    this.frame.add(octets);
    if (this.#unsplit !== null) this.#unsplit.body.add(octets);
    else if (!isAscii(octets)) this.hasHighOctetsBetween = true;
  }

  end(): void {
    this.frame.end();
    this.#unsplit?.body.end();
  }
}

function decide(survey: Survey, target: ConversionTarget): ConversionPlan {
  const masksFrame = survey.hasHighOctetsBetween && target === "7bit";
  if (masksFrame && survey.entities.some(({ entity }) => entity.isSealed)) {
    return { kind: "impossible", reason: "sealed" };
  }
  const entities: EntityPlan[] = [];
  const changed: string[] = masksFrame ? ["text around parts"] : [];
  let { sizeBytes } = survey;
  let breaksSignature = false;
  for (const facts of survey.entities) {
    const plan = decideEntity(facts, target);
    if (typeof plan === "string") return { kind: "impossible", reason: plan };
    entities.push(plan);
    const isEncoded = plan.encoding === "base64" || plan.encoding === "quoted-printable";
    breaksSignature ||= survey.isSigned &&
      (masksFrame || plan.encoding !== null || plan.encodesHeader || plan.cleans !== null);
    if (isEncoded && isUnsplit(facts)) changed.push(facts.entity.mediaType);
    if (isEncoded) sizeBytes += growthOf(facts.body, plan.encoding);
  }
  return { kind: "possible", entities, breaksSignature, masksFrame, changed, sizeBytes };
}

/**
 * Without SMTPUTF8 a header section has 7 bits (RFC 5322 section 2.2), and yet there are others. A
 * server of 8 bits gets them as they came, as from Postfix and Exim; one of 7 bits must not
 * (RFC 6152 section 3).
 */
function decideEntity(
  facts: EntityFacts,
  target: ConversionTarget,
): EntityPlan | ConversionObstacle {
  const content = decideContent(facts, target);
  if (typeof content === "string") return content;
  if (facts.asciiHeader === "same" || target === "8bit") {
    return { ...content, encodesHeader: false };
  }
  if (facts.entity.isSealed) return "sealed";
  return facts.asciiHeader === null ? "header" : { ...content, encodesHeader: true };
}

/** What happens to the body of an entity, and what its header section says of it. */
type ContentPlan = Omit<EntityPlan, "encodesHeader">;

const AS_IT_IS: ContentPlan = { encoding: null, charset: null, cleans: null };

function decideContent(
  facts: EntityFacts,
  target: ConversionTarget,
): ContentPlan | ConversionObstacle {
  const { entity, body: { highOctets, isLines, isUtf8 } } = facts;
  const fits = isLines && (highOctets === 0 || target === "8bit");
  if (fits) return relabel(facts, target);
  if (entity.isSealed) return "sealed";
  if (isEncoded(entity)) return isLines ? cleaned(entity) : "malformed";
  if (!isUnsplit(facts) && !isEncodable(entity)) return "unencodable";
  const charset = entity.isDescribed && !isUnsplit(facts)
    ? null
    : isUtf8
    ? "utf-8"
    : "unknown-8bit";
  return { encoding: chooseEncoding(facts), charset, cleans: null };
}

/** A multipart that cannot be split is text to all who read it (RFC 2046 section 5.1.1). */
function isUnsplit({ entity: { mediaType }, isSplit }: EntityFacts): boolean {
  return mediaType.startsWith("multipart/") && !isSplit;
}

/** What is encoded already says the same without the octets above 127, or with them encoded. */
function cleaned({ encoding }: MimeEntity): ContentPlan | "malformed" {
  if (encoding !== "base64" && encoding !== "quoted-printable") return "malformed";
  return { ...AS_IT_IS, cleans: encoding };
}

/** An entity that fits keeps its octets; what it says of them may have to change. */
function relabel({ entity, body }: EntityFacts, target: ConversionTarget): ContentPlan {
  const isComposite = entity.kind !== "leaf";
  const isWrong = entity.encoding === "binary" ||
    (entity.encoding === "8bit" && target === "7bit");
  if (!isWrong || entity.isSealed) return AS_IT_IS;
  const encoding = target === "8bit" && (isComposite || body.highOctets > 0) ? "8bit" : "7bit";
  return { ...AS_IT_IS, encoding };
}

/** RFC 2045 section 6.4; RFC 6532 section 3.7 lifts it for message/global. */
function isEncodable({ mediaType }: MimeEntity): boolean {
  if (mediaType.startsWith("multipart/")) return false;
  return !mediaType.startsWith("message/") || mediaType.startsWith("message/global");
}

/** Text stays readable to people where most of it is ASCII. */
function chooseEncoding(
  { entity: { mediaType }, body: { isLines, highOctets, sizeBytes } }: EntityFacts,
): "base64" | "quoted-printable" {
  const isText = /^(?:text|multipart)\//.test(mediaType);
  return isText && isLines && highOctets * 4 <= sizeBytes ? "quoted-printable" : "base64";
}

/** About how many octets an encoding adds. */
function growthOf(
  { sizeBytes, highOctets }: BodyStats,
  encoding: TransferEncoding | null,
): number {
  if (encoding === "base64") return Math.ceil(sizeBytes * 0.37);
  return Math.ceil(highOctets * 2.1 + sizeBytes * 0.01);
}
