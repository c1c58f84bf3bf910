/** Makes a record of what platforms send, step by step: it is whole after every case, so a run that ends early is not lost. */
import { families } from "./cases/index.ts";
import type { Event } from "./job.ts";
import type { BenchRecord, Machine, PlatformRecord, Untimed } from "./record.ts";
import type { Outcome, Timed } from "./run.ts";

const FAMILIES = families.map(({ name, title, cases }) => ({ name, title, unit: cases[0]?.work.unit ?? "MAC" }));

/** In the place of an engine's name: of a case that ended its process. */
export const EVERY_ENGINE = "all";

export class Collector {
  readonly record: BenchRecord;

  /** @param previous goes on from there */
  constructor(machine: Machine, command: string, versions: Readonly<Record<string, string>>, previous?: BenchRecord) {
    const now = new Date().toISOString();
    const fresh: BenchRecord = {
      ...{ format: 1, machine, started: now, ended: now, commands: [], versions: {} },
      ...{ platforms: [], families: [], results: [], untimed: [], skipped: [] },
    };
    this.record = { ...(previous ?? fresh), families: [...FAMILIES], ended: now };
    this.record.commands = [...new Set([...this.record.commands, command])];
    this.record.versions = { ...this.record.versions, ...versions };
  }

  /** In how many processes this case was run there; without end where no engine has a time, or its process did not survive it. */
  processes(platform: string, id: string): number {
    const here = (each: { case: string; platform: string }) => each.case === id && each.platform === platform;
    const { results, untimed } = this.record;
    const timed = results.filter(here);
    const failed = untimed.filter(here);
    if (failed.some(({ engine }) => engine === EVERY_ENGINE)) return Number.POSITIVE_INFINITY;
    if (timed.length === 0) return failed.length > 0 ? Number.POSITIVE_INFINITY : 0;
    return Math.max(...timed.map(({ processes = 1 }) => processes));
  }

  skip(platform: string, reason: string): void {
    this.#platform(platform, { name: platform, absent: [], skipped: reason });
  }

  add(platform: string, event: Event): void {
    this.record.ended = new Date().toISOString();
    if (event.type === "start") {
      Object.assign(this.record.versions, event.versions);
      this.#platform(platform, { name: platform, info: event.info as never, absent: [...event.absent] });
    } else if (event.type === "outcomes") {
      const known = this.record.platforms.find((each) => each.name === platform)?.info;
      // The best seen so far.
      if (known && event.limits) Object.assign(known.limits, event.limits);
      this.#outcomes(platform, event.case, event.outcomes);
    }
  }

  #platform(name: string, entry: PlatformRecord): void {
    const { platforms } = this.record;
    const at = platforms.findIndex((each) => each.name === name);
    if (at < 0) platforms.push(entry);
    else platforms[at] = entry;
  }

  /** A case that is run again, in another process: each engine keeps the faster of its times, and one that was wrong stays so. */
  #outcomes(platform: string, id: string, outcomes: readonly Outcome[]): void {
    const { record } = this;
    for (const outcome of outcomes) {
      const { kind, case: _, ...rest } = outcome;
      if (kind === "skipped") {
        this.#skipped(outcome);
        continue;
      }
      const same = (each: { case: string; engine: string; platform: string }) =>
        each.case === id && each.engine === outcome.engine && each.platform === platform;
      const timed = record.results.find(same);
      const wrong = record.untimed.some(same);
      record.results = record.results.filter((each) => !same(each));
      if (kind !== "timed") {
        record.untimed = record.untimed.filter((each) => !same(each));
        record.untimed.push({ case: id, platform, kind, ...rest } as Untimed);
      } else if (!wrong) {
        const now = { case: id, platform, ...(rest as Omit<Timed, "kind" | "case">) };
        const best = timed && timed.medianMs <= now.medianMs ? timed : now;
        record.results.push({ ...best, ...(timed && { processes: (timed.processes ?? 1) + 1 }) });
      }
    }
  }

  /** Engines say by the task alone what they do not do, so once is enough. */
  #skipped({ case: id, engine, reason }: Pick<Outcome & { reason: string }, "case" | "engine" | "reason">): void {
    const { skipped } = this.record;
    const known = skipped.find((each) => each.engine === engine && each.reason === reason);
    if (!known) skipped.push({ engine, reason, cases: [id] });
    else if (!known.cases.includes(id)) known.cases.push(id);
  }
}
