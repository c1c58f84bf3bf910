/** A job on one platform, from opening the engines to the last case. The same in a child process and on a page. */
import { availableTiers } from "lowbit/kernels";
import { allCases } from "./cases/index.ts";
import type { Host } from "./engine.ts";
import { sources } from "./engines/index.ts";
import { openEngines } from "./engines/open.ts";
import type { Event, Job } from "./job.ts";
import { measureLimits } from "./limits.ts";
import { runCase } from "./run.ts";
import { selectSources, selectsEngine } from "./select.ts";

export interface SuiteOptions {
  /** What the engine calls itself. */
  readonly version: string;
  readonly send: (event: Event) => void | Promise<void>;
  readonly signal?: AbortSignal | undefined;
}

/** @throws the signal's reason; whatever else goes wrong is an event */
export async function runSuite(host: Host, job: Job, { version, send, signal }: SuiteOptions): Promise<void> {
  const ours = new Set(sources.filter(({ kind }) => kind === "ours").map(({ name }) => name));
  const chosen = selectSources(sources, job.peers);
  const { engines, absent } = await openEngines(chosen, host, selectsEngine(job.peers, ours));
  try {
    await send({
      type: "start",
      info: {
        version,
        isolated: globalThis.crossOriginIsolated ?? typeof SharedArrayBuffer === "function",
        processors: globalThis.navigator?.hardwareConcurrency ?? 1,
        tiers: availableTiers(),
        limits: await measureLimits(),
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
      await send({ type: "outcomes", case: id, outcomes: await runCase(of, engines, { effort: job.effort, signal }) });
    }
    await send({ type: "end" });
  } finally {
    for (const engine of engines) engine.dispose?.();
  }
}
