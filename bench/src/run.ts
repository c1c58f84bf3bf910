/**
 * Runs cases in one process: for each, every engine is prepared and judged, warmed up, and then timed in interleaved rounds, so that
 * whatever the machine does meanwhile meets all of them. Ratios of medians of one case are what a record is for.
 */
import type { Case, Tensors } from "./case.ts";
import { familyOf } from "./cases/index.ts";
import type { Engine, Prepared } from "./engine.ts";
import { judge } from "./judge.ts";
import { type Spread, spreadOf } from "./statistics.ts";

export interface Effort {
  readonly rounds: number;
  /** Of running before the first round, per engine; it also tells how many runs make a round. */
  readonly warmUpMs: number;
  /** About how long an engine's turn in a round takes. */
  readonly turnMs: number;
  /** An engine whose single run takes longer gets fewer rounds, at least 3. */
  readonly engineMs: number;
}

export const efforts = {
  quick: { rounds: 7, warmUpMs: 40, turnMs: 8, engineMs: 600 },
  full: { rounds: 11, warmUpMs: 80, turnMs: 16, engineMs: 1500 },
} as const satisfies Record<string, Effort>;

/** What is known of a case on an engine: a time, or why there is none. */
export interface Timed extends Spread {
  readonly kind: "timed";
  readonly case: string;
  readonly engine: string;
  /** Billions of the case's units of work per second at the median. */
  readonly gmacs: number;
  readonly checksum: string;
  /** Runs that make up a turn. */
  readonly iterations: number;
  /** Of our kernels, where one limit binds the case: the share of it, and its name. */
  readonly ofLimit?: number;
  readonly limit?: string;
}
export interface Untimed {
  /** `wrong`: the answer was; `failed`: an error; `skipped`: the engine does not do such cases. */
  readonly kind: "wrong" | "failed" | "skipped";
  readonly case: string;
  readonly engine: string;
  readonly reason: string;
  /** Of a wrong answer. */
  readonly checksum?: string;
}
export type Outcome = Timed | Untimed;

interface Contestant {
  readonly engine: Engine;
  readonly prepared: Prepared;
  readonly checksum: string;
  iterations: number;
  rounds: number;
  readonly times: number[];
}

export interface RunOptions {
  readonly effort: Effort;
  /** Milliseconds from any moment; absent: `performance.now`. */
  readonly now?: () => number;
  readonly signal?: AbortSignal | undefined;
  /** Called behind every round: for what is measured beside the engines, at the same time. */
  readonly afterRound?: (() => void) | undefined;
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message || error.name : String(error));

/** Prepares an engine and has one answer judged; a contestant, or why it is none. */
async function admit(of: Case, engine: Engine, tensors: Tensors): Promise<Contestant | Untimed> {
  const untimed = (kind: Untimed["kind"], reason: string, checksum?: string): Untimed => ({
    ...{ kind, case: of.id, engine: engine.name, reason },
    ...(checksum !== undefined && { checksum }),
  });
  let prepared: Prepared | undefined;
  try {
    prepared = await engine.prepare(of, tensors);
    await prepared.run();
    const verdict = judge(of, tensors, await prepared.answer());
    if (verdict.right) return { engine, prepared, checksum: verdict.checksum, iterations: 1, rounds: 0, times: [] };
    prepared.dispose();
    return untimed("wrong", verdict.wrong, verdict.checksum);
  } catch (error) {
    prepared?.dispose();
    return untimed("failed", messageOf(error));
  }
}

/** Milliseconds that `iterations` runs take together. */
async function turn({ prepared }: Contestant, iterations: number, now: () => number): Promise<number> {
  if (prepared.time) return prepared.time(iterations);
  const started = now();
  for (let i = 0; i < iterations; i++) {
    const pending = prepared.run();
    // Awaiting what is no promise would still cost a microtask.
    if (pending) await pending;
  }
  return now() - started;
}

async function warmUp(contestant: Contestant, effort: Effort, now: () => number): Promise<void> {
  let [spent, runs, each] = [0, 0, 0];
  do {
    const iterations = Math.max(1, runs);
    const took = await turn(contestant, iterations, now);
    each = took / iterations;
    spent += took;
    runs += iterations;
  } while (spent < effort.warmUpMs);
  // A clock as coarse as a page's may have seen nothing.
  each = Math.max(each, 1e-6);
  contestant.iterations = Math.max(1, Math.round(effort.turnMs / each));
  const affordable = Math.floor(effort.engineMs / (each * contestant.iterations));
  contestant.rounds = Math.min(effort.rounds, Math.max(3, affordable));
}

/**
 * One case over the engines; outcomes in their order.
 * @throws the signal's reason, between two turns
 */
export async function runCase(of: Case, engines: readonly Engine[], options: RunOptions): Promise<Outcome[]> {
  const { effort, signal, afterRound, now = () => performance.now() } = options;
  const outcomes = new Map<string, Outcome>();
  const contestants: Contestant[] = [];
  const able = engines.filter((engine) => {
    const supported = engine.supports(of);
    if (supported !== true)
      outcomes.set(engine.name, { kind: "skipped", case: of.id, engine: engine.name, reason: supported });
    return supported === true;
  });
  const tensors = able.length === 0 ? {} : familyOf(of).tensors(of);
  try {
    for (const engine of able) {
      signal?.throwIfAborted();
      const admitted = await admit(of, engine, tensors);
      if ("prepared" in admitted) contestants.push(admitted);
      else outcomes.set(engine.name, admitted);
    }
    for (const contestant of contestants) {
      signal?.throwIfAborted();
      await warmUp(contestant, effort, now);
    }
    for (let round = 0; round < effort.rounds; round++) {
      // Each round begins with the next engine, so that none always follows the same one.
      for (let i = 0; i < contestants.length; i++) {
        const contestant = contestants[(i + round) % contestants.length] as Contestant;
        if (round >= contestant.rounds) continue;
        signal?.throwIfAborted();
        contestant.times.push((await turn(contestant, contestant.iterations, now)) / contestant.iterations);
      }
      afterRound?.();
    }
    for (const contestant of contestants) outcomes.set(contestant.engine.name, await timed(of, tensors, contestant));
  } finally {
    for (const { prepared } of contestants) prepared.dispose();
  }
  return engines.map((engine) => outcomes.get(engine.name) as Outcome);
}

/** The answer is judged again at the end: it must have stayed right through all rounds. */
async function timed(of: Case, tensors: Tensors, contestant: Contestant): Promise<Outcome> {
  const { engine, prepared, times, iterations } = contestant;
  const verdict = judge(of, tensors, await prepared.answer());
  if (!verdict.right)
    return { kind: "wrong", case: of.id, engine: engine.name, reason: `after the rounds: ${verdict.wrong}` };
  const spread = spreadOf(times);
  return {
    ...{ kind: "timed", case: of.id, engine: engine.name, ...spread, iterations },
    gmacs: of.work.amount / spread.medianMs / 1e6,
    checksum: verdict.checksum,
  };
}
