/** A record's headline as a Markdown table, for READMEs. */

import type { BenchRecord } from "@lowbit/bench";
import { type BenchRow, benchRows, enginesOf, isPeer, shortVersion, timesAsFast } from "./bench-figures.ts";
import { formatTimes, significant } from "./format.ts";

export interface TableChoice {
  readonly platform: string;
  /** Families, in the record's order; absent: all. */
  readonly families?: readonly string[];
  /** Engines to compare with; absent: every peer that was timed. */
  readonly peers?: readonly string[];
}

/** Our best engine on one thread per case, and how many times as fast as each peer it is. */
export function benchTable(record: BenchRecord, { platform, families, peers }: TableChoice): string {
  const rows = benchRows(record).filter(
    (row) => row.platform === platform && (families === undefined || families.includes(row.family)),
  );
  const others = peers ?? enginesOf(rows, isPeer);
  const columns: [title: string, cell: (row: BenchRow) => string][] = [
    ["case", ({ ours }) => `\`${ours.case}\``],
    ["G/s", ({ ours }) => significant(ours.gmacs)],
    ["of limit", ({ ours }) => (ours.ofLimit === undefined ? "" : `${Math.round(ours.ofLimit * 100)} %`)],
    ...others.map((peer): [string, (row: BenchRow) => string] => [
      `× ${peer}`,
      (row) => {
        const times = timesAsFast(row, peer);
        return times === undefined ? "" : formatTimes(times);
      },
    ]),
  ];
  const line = (cells: readonly string[]) => `| ${cells.join(" | ")} |`;
  return [
    line(columns.map(([title]) => title)),
    line(columns.map((_, i) => (i === 0 ? "---" : "--:"))),
    ...rows.map((row) => line(columns.map(([, cell]) => cell(row)))),
  ].join("\n");
}

/** Where and how a record came about, in a sentence. `path` is how readers find it. */
export function benchSource(
  { machine, started, platforms, results, revision }: BenchRecord,
  path: string,
  platform: string,
): string {
  const version = platforms.find(({ name }) => name === platform)?.info?.version;
  const most = Math.max(1, ...results.map((each) => (each.platform === platform ? (each.processes ?? 1) : 1)));
  const processes = most === 1 ? "" : `, the fastest of ${most} processes`;
  const from = revision === undefined ? "" : `, revision ${revision}`;
  return `${machine.cpu}, ${machine.cores} cores, ${started.slice(0, 10)}, ${version === undefined ? platform : shortVersion(version)}, one thread, medians of interleaved rounds${processes} ([the record](${path})${from}).`;
}
