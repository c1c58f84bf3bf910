/** Runs jobs on every platform in turn, each in a process of its own, and collects one record. */

import { allCases } from "./cases/index.ts";
import { Collector, EVERY_ENGINE } from "./collect.ts";
import { absences } from "./engine.ts";
import type { Event, Job } from "./job.ts";
import { thisMachine } from "./machine.ts";
import { platforms as known, type Launcher, type Platform } from "./platforms/index.ts";
import type { BenchRecord } from "./record.ts";
import { type Effort, efforts, type Outcome } from "./run.ts";
import { selectCases } from "./select.ts";
import { type Serving, serve } from "./server.ts";

export interface Progress {
  readonly platform: string;
  /** Cases done and to be done on all platforms. */
  readonly done: number;
  readonly of: number;
  /** The case that runs now. */
  readonly case?: string;
}

export interface BenchOptions {
  readonly quick?: boolean | undefined;
  /** Of case ids: a comma-separated list of parts, or patterns with `*`. */
  readonly filter?: string | undefined;
  /** `all`, `none`, or a comma-separated list of peers. */
  readonly peers?: string | undefined;
  /** Names, or `["all"]`; absent: every one that is to be had, and of the quick suite the first, so that it is over in two minutes. */
  readonly platforms?: readonly string[] | undefined;
  readonly threads?: readonly number[] | undefined;
  /** Each case runs in so many processes, of which every engine keeps its fastest median; default 1. */
  readonly processes?: number | undefined;
  /** Of the machine, in place of what it is made from. */
  readonly machine?: string | undefined;
  /** For the record: what was typed. */
  readonly command: string;
  readonly versions: Readonly<Record<string, string>>;
  readonly revision?: string | undefined;
  /** Is gone on with: a case that it has on a platform, of as many processes, is not run there again. */
  readonly previous?: BenchRecord | undefined;
  /** No case begins after so many seconds; the record can be gone on with. */
  readonly seconds?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: (progress: Progress) => void;
  /** Something that a person should read: a platform that is skipped, an answer that was wrong. */
  readonly onNote?: (note: string) => void;
  /** After every case, for it to be kept. */
  readonly onRecord?: (record: BenchRecord) => void | Promise<void>;
  /** For tests. */
  readonly catalogue?: readonly Platform[];
  readonly effort?: Effort;
}

/** A platform that says nothing for so long hangs. */
const SILENCE_MS = 300_000;
/** A case that ends its process costs a restart; more of them mean something else is wrong. */
const RESTARTS = 5;

/** The first of those cases, with those of its family: what one process runs of the full suite, so that nothing that an engine keeps from other families is in their way. */
function ofOneFamily(cases: readonly string[]): readonly string[] {
  const familyOf = (id: string | undefined) => id?.slice(0, id.indexOf("/"));
  return cases.filter((id) => familyOf(id) === familyOf(cases[0]));
}

/** How one launch ended: `done`, out of `time`, or with words of what happened instead. */
type End = "done" | "time" | { readonly failed: string };

class Session {
  current: string | undefined;
  #settle: (end: End) => void = () => {};
  #timer: NodeJS.Timeout | undefined;
  readonly end = new Promise<End>((resolve) => {
    this.#settle = resolve;
  });

  alive(): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.finish({ failed: `silent for ${SILENCE_MS / 1000} s` }), SILENCE_MS);
  }

  finish(end: End): void {
    clearTimeout(this.#timer);
    this.#settle(end);
  }
}

class Driver {
  readonly #options: BenchOptions;
  readonly #collector: Collector;
  readonly #cases: readonly string[];
  readonly #deadline: number;
  #session: Session | undefined;
  #job: Job | undefined;
  #done = 0;
  #of = 0;

  constructor(options: BenchOptions, collector: Collector) {
    this.#options = options;
    this.#collector = collector;
    const { quick = false, filter } = options;
    this.#cases = selectCases(allCases(), { quick, filter }).map(({ id }) => id);
    this.#deadline = options.seconds === undefined ? Number.POSITIVE_INFINITY : Date.now() + options.seconds * 1000;
  }

  get #isOver(): boolean {
    return this.#options.signal?.aborted === true || Date.now() > this.#deadline;
  }

  async run(chosen: readonly Platform[], server: () => Serving): Promise<void> {
    const { processes = 1, onNote } = this.#options;
    const cases = this.#cases;
    const launchers = new Map<string, Launcher>();
    for (const platform of chosen) {
      const found = await platform.find();
      if ("absent" in found) {
        this.#collector.skip(platform.name, found.absent);
        onNote?.(`${platform.name}: skipped, ${found.absent}`);
      } else launchers.set(platform.name, found);
    }
    // All cases once, then all of them once more: what was in the way of one process may be gone.
    const open = (name: string) => {
      const ran = new Map(cases.map((id) => [id, this.#collector.processes(name, id)]));
      const least = Math.min(...ran.values());
      return least < processes ? cases.filter((id) => ran.get(id) === least) : [];
    };
    const runsLeft = () =>
      [...launchers.keys()]
        .flatMap((name) => cases.map((id) => Math.max(0, processes - this.#collector.processes(name, id))))
        .reduce((sum, runs) => sum + runs, 0);
    this.#of = runsLeft();
    for (const [name, launcher] of launchers) await this.#platform(name, launcher, open, server);
    const left = runsLeft();
    if (left > 0 && this.#isOver) onNote?.(`${left} cases left, --resume goes on with them`);
    await this.#keep();
  }

  async #platform(
    name: string,
    launcher: Launcher,
    open: (name: string) => string[],
    server: () => Serving,
  ): Promise<void> {
    const { peers = "all", threads = [2], quick = false, effort = efforts[quick ? "quick" : "full"] } = this.#options;
    let failures = 0;
    for (let launches = 0; ; launches++) {
      const left = open(name);
      if (left.length === 0 || this.#isOver) return;
      const cases = quick ? left : ofOneFamily(left);
      this.#job = { platform: name, cases, peers, threads, effort };
      this.#session = new Session();
      const end = await this.#launch(launcher, `http://127.0.0.1:${server().port}/`);
      if (end === "time") return;
      if (end === "done") continue;
      this.#options.onNote?.(`${name}: ${this.#session.current ?? "at the start"}: ${end.failed}`);
      const { current } = this.#session;
      // Nothing was ever run, or it keeps falling over: the platform is not fit.
      if ((launches === 0 && current === undefined) || ++failures > RESTARTS)
        return this.#collector.skip(name, end.failed);
      if (current === undefined) continue;
      this.#collector.add(name, {
        ...{ type: "outcomes", case: current },
        outcomes: [
          {
            kind: "failed",
            case: current,
            engine: EVERY_ENGINE,
            reason: `the process did not survive it: ${end.failed}`,
          },
        ],
      });
      this.#done++;
    }
  }

  async #launch(launcher: Launcher, address: string): Promise<End> {
    const session = this.#session as Session;
    const abort = () => session.finish("time");
    this.#options.signal?.addEventListener("abort", abort);
    try {
      session.alive();
      const running = await launcher.launch(address);
      // Its last event may still be on the way when the process has ended.
      running.ended.then((words) => setTimeout(() => session.finish({ failed: words }), 500));
      const end = await session.end;
      await running.stop();
      return end;
    } catch (error) {
      session.finish("time");
      return { failed: (error as Error).message };
    } finally {
      this.#options.signal?.removeEventListener("abort", abort);
    }
  }

  job(platform: string): Job | undefined {
    return this.#job?.platform === platform ? this.#job : undefined;
  }

  async event(platform: string, event: Event): Promise<boolean> {
    const session = this.#session;
    if (!session || this.#job?.platform !== platform) return false;
    session.alive();
    this.#collector.add(platform, event);
    switch (event.type) {
      case "start":
        for (const line of absences(event.absent)) this.#options.onNote?.(`${platform}: ${line}`);
        break;
      case "case":
        if (this.#isOver) {
          session.finish("time");
          return false;
        }
        session.current = event.case;
        this.#options.onProgress?.({ platform, done: this.#done, of: this.#of, case: event.case });
        break;
      case "outcomes":
        session.current = undefined;
        this.#done++;
        this.#notes(platform, event.outcomes);
        await this.#keep();
        break;
      case "end":
        session.finish("done");
        break;
      case "error":
        session.finish({ failed: event.message });
        break;
    }
    return true;
  }

  #notes(platform: string, outcomes: readonly Outcome[]): void {
    for (const outcome of outcomes)
      if (outcome.kind === "wrong" || outcome.kind === "failed")
        this.#options.onNote?.(`${platform}: ${outcome.case} on ${outcome.engine}: ${outcome.kind}: ${outcome.reason}`);
  }

  async #keep(): Promise<void> {
    await this.#options.onRecord?.(this.#collector.record);
  }
}

/** The platforms of those names; without, the one with the newest engine that is here. */
async function chosen(
  catalogue: readonly Platform[],
  names: readonly string[] | undefined,
): Promise<readonly Platform[]> {
  if (names?.includes("all")) return catalogue;
  if (names) return catalogue.filter(({ name }) => names.includes(name));
  const newestFirst = [...catalogue].sort((a, b) => Number(b.name === "node24") - Number(a.name === "node24"));
  for (const platform of newestFirst) if (!("absent" in (await platform.find()))) return [platform];
  return catalogue;
}

/**
 * Runs the suite. An abort, or the end of `seconds`, gives the record as far as it has come.
 * @throws Error where a platform's name is unknown, or the filter leaves no case
 */
export async function bench(options: BenchOptions): Promise<BenchRecord> {
  const { catalogue = known, platforms, quick = false, machine, command, versions, previous, revision } = options;
  for (const name of platforms ?? [])
    if (name !== "all" && !catalogue.some((platform) => platform.name === name))
      throw new Error(`no platform ${name}; there are ${catalogue.map((platform) => platform.name).join(", ")}, all`);
  const collector = new Collector(thisMachine(machine), command, versions, previous);
  if (revision !== undefined) collector.record.revision = revision;
  const driver = new Driver(options, collector);
  const server = await serve({
    job: (platform) => driver.job(platform),
    event: (platform, event) => driver.event(platform, event),
  });
  try {
    await driver.run(await chosen(catalogue, platforms ?? (quick ? undefined : ["all"])), () => server);
  } finally {
    await server.close();
  }
  return collector.record;
}
