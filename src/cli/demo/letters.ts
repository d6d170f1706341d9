import type { Random } from "../../base/random.ts";
import { fillerText, sampleMessage } from "../sample_message.ts";
import type { Letter } from "../submit.ts";
import { SLOW_DOMAIN, UNKNOWN_PREFIX } from "./destination.ts";

const KIB = 1024;
const LARGE_FILE_BYTES = 1024 * KIB;
/** Recipients of a long list. */
const LIST_SIZE = 60;

const NAMES = ["ada", "björn", "chiyo", "dmitri", "élodie", "farid", "grace", "hōkan", "ines"];

/** Subjects and texts as applications send them. */
const TEXTS = [
  ["Your invoice 2026-0417", "Please find your invoice attached.\r\nThank you for your order!"],
  ["Ihre Bestellung ist unterwegs", "Guten Tag,\r\nIhr Paket kommt am Freitag.\r\nViele Grüße"],
  ["ご注文ありがとうございます", "ご注文を承りました。\r\n発送まで少々お待ちください。"],
  ["Votre réservation est confirmée 🎉", "Bonjour,\r\nà très bientôt chez nous !"],
  ["Cron <backup@db1> nightly.sh", "dumped 48 tables\r\n.\r\n..done in 412 s\r\n"],
  ["Подтвердите адрес", "Здравствуйте!\r\nНажмите на ссылку в этом письме."],
] as const;

/** Makes the demo's mail: `count` messages, the same ones from the same randomness. */
export function* demoLetters(count: number, random: Random): Generator<Letter> {
  const noise = random.fill(new Uint8Array(LARGE_FILE_BYTES));
  for (let index = 0; index < count; index++) yield demoLetter(index, { random, noise });
}

/** What letters are made from; files are pieces of `noise`. */
interface Material {
  readonly random: Random;
  readonly noise: Uint8Array;
}

function demoLetter(index: number, material: Material): Letter {
  const [subject, text] = TEXTS[index % TEXTS.length] ?? TEXTS[0];
  const from = `app-${index % 5}@shop.example`;
  const recipients = recipientsOf(index);
  const attachment = attachmentOf(index, material);
  const bytes = sampleMessage({
    from,
    to: recipients.slice(0, 5),
    subject,
    id: `demo-${index}`,
    dateMs: Date.now(),
    text: `${text}\r\n\r\n${fillerText(Math.floor(material.random.float() * 4 * KIB))}`,
    ...(attachment === null ? {} : { attachment }),
  });
  return { reversePath: from, recipients, bytes };
}

/** Mostly one recipient; some lists, some who are deferred once, some who do not exist. */
function recipientsOf(index: number): string[] {
  const name = `${asciiName(index)}.${index}`;
  if (index % 50 === 49) {
    return Array.from({ length: LIST_SIZE }, (_, member) => `member-${member}@list.example`);
  }
  if (index % 25 === 7) return [`${UNKNOWN_PREFIX}${index}@customer.example`];
  if (index % 12 === 3) return [`${name}@${SLOW_DOMAIN}`];
  if (index % 10 === 5) return [`${name}@customer.example`, `copy.${name}@archive.example`];
  return [`${name}@customer.example`];
}

function asciiName(index: number): string {
  const name = NAMES[index % NAMES.length] ?? "";
  return name.normalize("NFD").replace(/[^a-z]/g, "");
}

/** A third of the messages have a file, one in forty a large one. */
function attachmentOf(
  index: number,
  { random, noise }: Material,
): { name: string; bytes: Uint8Array } | null {
  if (index % 3 !== 0) return null;
  const sizeBytes = index % 40 === 0 ? noise.length : Math.floor((8 + random.float() * 92) * KIB);
  return { name: `invoice-${1000 + index}.pdf`, bytes: noise.subarray(0, sizeBytes) };
}
