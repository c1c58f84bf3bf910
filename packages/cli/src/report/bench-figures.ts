/** What a benchmark record says, ready for a table or a plot: our best engine per case and platform beside everything else. */
import type { BenchRecord, Result } from "@lowbit/bench";

export interface BenchRow {
  readonly family: string;
  readonly shape: string;
  readonly platform: string;
  /** The fastest of our engines on one thread. */
  readonly ours: Result;
  /** All engines that were timed, ours among them, fastest first. */
  readonly engines: readonly Result[];
}

/** Our kernels, on one thread. */
export const isOurs = ({ engine }: Pick<Result, "engine">): boolean => /^lowbit:[^:]+$/.test(engine);

/** On one thread, and neither our kernels nor the float and naive versions of the same code. */
export const isPeer = (engine: string): boolean => !/^(lowbit|float|naive)\b|:\d+$/.test(engine);

/** A row per case and platform that one of our engines ran, in the order of the record's families and platforms. */
export function benchRows({ results, families, platforms }: BenchRecord): BenchRow[] {
  const groups = new Map<string, Result[]>();
  for (const result of results) {
    const key = `${result.case} ${result.platform}`;
    groups.set(key, [...(groups.get(key) ?? []), result]);
  }
  const rows = [...groups.values()].flatMap((group): BenchRow[] => {
    const engines = [...group].sort((a, b) => a.medianMs - b.medianMs);
    const ours = engines.find(isOurs);
    if (!ours) return [];
    const [family = "", shape = ""] = ours.case.split("/");
    return [{ family, shape, platform: ours.platform, ours, engines }];
  });
  const place = <T extends { name: string }>(list: readonly T[], name: string) =>
    list.findIndex((each) => each.name === name);
  // Stable: shapes stay in the order in which they were run.
  return rows.sort(
    (a, b) =>
      place(families, a.family) - place(families, b.family) ||
      place(platforms, a.platform) - place(platforms, b.platform),
  );
}

/** How many times as fast as `engine` ours is: of one interleaved run, so that it means something. */
export function timesAsFast(row: BenchRow, engine: string): number | undefined {
  const other = row.engines.find((each) => each.engine === engine);
  return other && other.medianMs / row.ours.medianMs;
}

/** A browser's name and version out of its user agent; a runtime's own words stay. */
export function shortVersion(version: string): string {
  const [, name = "", number = ""] = /(Firefox|Edg|HeadlessChrome|Chrome|Version)\/([\d.]+)/.exec(version) ?? [];
  const names: Readonly<Record<string, string>> = {
    HeadlessChrome: "Chromium",
    Edg: "Edge",
    Version: "WebKit, Safari",
  };
  return name === "" ? version : `${names[name] ?? name} ${number.replace(/(\.0)+$/, "")}`;
}

/** Names of the engines in `rows` for which `keep` holds, in the order of their first appearance. */
export function enginesOf(rows: readonly BenchRow[], keep: (engine: string) => boolean): string[] {
  return [...new Set(rows.flatMap((row) => row.engines.map(({ engine }) => engine)))].filter(keep).sort();
}
