/** Makes a record of what platforms send, step by step: it is whole after every case, so a run that ends early is not lost. */
import { families } from "./cases/index.ts";
import type { Event } from "./job.ts";
import type { BenchRecord, Machine, PlatformRecord, Untimed } from "./record.ts";
import type { Outcome, Timed } from "./run.ts";

const FAMILIES = families.map(({ name, title, cases }) => ({ name, title, unit: cases[0]?.work.unit ?? "MAC" }));

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

  /** Whether this case was already run there. */
  has(platform: string, id: string): boolean {
    const { results, untimed } = this.record;
    return [results, untimed].some((list) => list.some((each) => each.platform === platform && each.case === id));
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

  #outcomes(platform: string, id: string, outcomes: readonly Outcome[]): void {
    const { record } = this;
    // A case that is run again replaces what was known of it: its engines were interleaved with each other.
    const others = (each: { case: string; platform: string }) => each.case !== id || each.platform !== platform;
    record.results = record.results.filter(others);
    record.untimed = record.untimed.filter(others);
    for (const outcome of outcomes) {
      const { kind, case: _, ...rest } = outcome;
      if (kind === "timed") record.results.push({ case: id, platform, ...(rest as Omit<Timed, "kind" | "case">) });
      else if (kind === "skipped") this.#skipped(outcome);
      else record.untimed.push({ case: id, platform, kind, ...rest } as Untimed);
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
