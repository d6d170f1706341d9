/** What the mutation task found, for people and for programs. */
import type { Mutant } from "./mutant.ts";
import { roomOfPath } from "./nearest.ts";
import type { Verdict } from "./trial.ts";

/** One mutant, without the octets. */
interface Line extends Pick<Mutant, "path" | "line" | "operator" | "text" | "change"> {
  /** The tests that noticed, or the test files that came through the place and did not. */
  readonly by: readonly string[];
}

/** A room's part of the sample. */
interface RoomReport {
  readonly room: string;
  readonly sampled: number;
  readonly noticed: number;
  readonly equivalent: number;
  /** Noticed of those that are not equivalent. */
  readonly ratio: number;
  readonly survivors: readonly Line[];
}

export interface Report {
  readonly seed: number;
  readonly rooms: readonly RoomReport[];
  readonly noticed: readonly Line[];
}

/** Counts by room. */
export function reportOf({ seed, verdicts, equivalents }: {
  seed: number;
  verdicts: readonly Verdict[];
  equivalents: readonly Mutant[];
}): Report {
  const places = [...verdicts.map(({ mutant }) => mutant), ...equivalents];
  const rooms = [...new Set(places.map(({ path }) => roomOfPath(path) as string))].sort();
  return {
    seed,
    rooms: rooms.map((room) => {
      const inRoom = verdicts.filter((verdict) => verdict.room === room);
      const equivalent = equivalents.filter(({ path }) => roomOfPath(path) === room).length;
      const survivors = inRoom.filter(({ kind }) => kind === "survived").map(lineOf);
      const noticed = inRoom.length - survivors.length;
      const sampled = inRoom.length + equivalent;
      return { room, sampled, noticed, equivalent, ratio: noticed / inRoom.length, survivors };
    }),
    noticed: verdicts.filter(({ kind }) => kind === "noticed").map(lineOf),
  };
}

function lineOf({ mutant, by }: Verdict): Line {
  const { path, line, operator, text, change } = mutant;
  return { path, line, operator, text, change, by };
}

/** The survivors of an earlier report. */
export function survivorsIn(report: Report): readonly Pick<Mutant, "path" | "text" | "change">[] {
  return report.rooms.flatMap(({ survivors }) => survivors);
}

/** The report as text: survivors by room, then the table. */
export function reportText({ seed, rooms }: Report): string {
  const survivors = rooms.flatMap(({ room, survivors }) => [
    `\n${room}: ${survivors.length} survived`,
    ...survivors.map(survivorText),
  ]);
  const noticed = sum(rooms.map((room) => room.noticed));
  const counted = sum(rooms.map((room) => room.sampled - room.equivalent));
  return [
    ...survivors,
    "",
    "room                sampled  equivalent  noticed  ratio",
    ...rooms.map(({ room, sampled, equivalent, noticed, ratio }) =>
      [room.padEnd(20), pad(sampled, 7), pad(equivalent, 12), pad(noticed, 9), percent(ratio)].join(
        "",
      )
    ),
    `seed ${seed}: noticed ${noticed} of ${counted}, ${percent(noticed / counted).trim()}`,
  ].join("\n");
}

function survivorText({ path, line, operator, change, text, by }: Line): string {
  const tests = by.length === 0 ? "no test comes here" : by.slice(0, 4).join(" ");
  return `  ${path}:${line}  ${operator}: ${change}\n    in: ${text}\n    ${tests}`;
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}

function pad(value: number, width: number): string {
  return String(value).padStart(width);
}

function percent(ratio: number): string {
  return `${(100 * ratio).toFixed(0)} %`.padStart(7);
}
