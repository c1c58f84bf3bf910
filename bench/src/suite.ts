/** A job on one platform, from opening the engines to the last case. The same in a child process and on a page. */
import { availableTiers, type Tier } from "lowbit/kernels";
import type { Case } from "./case.ts";
import { allCases } from "./cases/index.ts";
import type { Host } from "./engine.ts";
import { sources } from "./engines/index.ts";
import { openEngines } from "./engines/open.ts";
import type { Event, Job } from "./job.ts";
import { boundOf, LimitMeter, type Limits } from "./limits.ts";
import { type Outcome, runCase } from "./run.ts";
import { selectSources, selectsEngine } from "./select.ts";
import { quantile } from "./statistics.ts";

export interface SuiteOptions {
  /** What the engine calls itself. */
  readonly version: string;
  readonly send: (event: Event) => void | Promise<void>;
  readonly signal?: AbortSignal | undefined;
}

/** What share of the limit our engines reach; threads share the work, and memory. */
function withLimit(of: Case, limits: Limits, outcome: Outcome): Outcome {
  const [source, tier, threads = "1"] = outcome.engine.split(":");
  if (outcome.kind !== "timed" || source !== "lowbit") return outcome;
  const bound = boundOf(of, tier as Tier, limits, Number(threads));
  return bound ? { ...outcome, ofLimit: outcome.gmacs / bound.rate, limit: bound.by } : outcome;
}

/** @throws the signal's reason; whatever else goes wrong is an event */
export async function runSuite(host: Host, job: Job, { version, send, signal }: SuiteOptions): Promise<void> {
  const ours = new Set(sources.filter(({ kind }) => kind === "ours").map(({ name }) => name));
  const chosen = selectSources(sources, job.peers);
  const { engines, absent } = await openEngines(chosen, host, selectsEngine(job.peers, ours));
  try {
    const meter = await LimitMeter.open();
    await send({
      type: "start",
      info: {
        version,
        isolated: globalThis.crossOriginIsolated ?? typeof SharedArrayBuffer === "function",
        processors: globalThis.navigator?.hardwareConcurrency ?? 1,
        tiers: availableTiers(),
        limits: meter.measure(),
      },
      versions: Object.fromEntries(engines.flatMap(({ name, version }) => (version ? [[name, version]] : []))),
      absent,
    });
    const byId = new Map(allCases().map((each) => [each.id, each]));
    for (const [index, id] of job.cases.entries()) {
      signal?.throwIfAborted();
      const of = byId.get(id);
      if (!of) throw new Error(`no case ${id}`);
      await send({ type: "case", case: id, index, count: job.cases.length });
      const reads: number[] = [];
      const afterRound = () => void reads.push(meter.readMemory() ?? 0);
      const outcomes = await runCase(of, engines, {
        ...{ effort: job.effort, signal },
        afterRound: of.coldBytes ? afterRound : undefined,
      });
      const limits = meter.measure();
      const sorted = reads.sort((a, b) => a - b);
      const then = of.coldBytes ? { ...limits, readMemory: quantile(sorted, 0.5) } : limits;
      await send({ type: "outcomes", case: id, outcomes: outcomes.map((each) => withLimit(of, then, each)), limits });
    }
    await send({ type: "end" });
  } finally {
    for (const engine of engines) engine.dispose?.();
  }
}
