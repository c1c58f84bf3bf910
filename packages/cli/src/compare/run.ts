/** Runs a comparison: the float network first, then every scheme on a thread of its own, then each against float on the clock. */

import { Pool, TaskError } from "../shared/pool.ts";
import type { Results } from "../shared/results.ts";
import type { CompareContext, Compared, CompareTask, JudgedFile, Timed } from "./types.ts";

export interface RunOptions {
  readonly context: CompareContext;
  readonly schemes: readonly string[];
  readonly results: Results<Compared>;
  readonly jobs: number;
  readonly signal: AbortSignal;
  /** Names the stage; `total` is in schemes. */
  readonly onStage: (title: string, total: number) => void;
  readonly onProgress: (done: number) => void;
}

/** Why a scheme has no figures. */
export interface Failed {
  readonly scheme: string;
  readonly error: string;
}

export const FLOAT = "float";

/** The file that the build puts beside the bundle. */
const WORKER = new URL("./compare-worker.js", import.meta.url);

/**
 * Fills `results` with every scheme that can be done, `float` included.
 * @throws the signal's reason; what the float network itself fails with
 */
export async function runComparison(options: RunOptions): Promise<Failed[]> {
  const { context, signal } = options;
  signal.throwIfAborted();
  const pool = new Pool<CompareTask, JudgedFile | Timed>(WORKER, context, options.jobs);
  const onAbort = () => void pool.end(signal.reason);
  signal.addEventListener("abort", onAbort);
  try {
    const failed = await judgeAll(pool, options);
    await timeAll(pool, options);
    return failed;
  } finally {
    signal.removeEventListener("abort", onAbort);
    await pool.end();
  }
}

type ThreadPool = Pool<CompareTask, JudgedFile | Timed>;

async function judgeAll(pool: ThreadPool, { schemes, results, onStage, onProgress }: RunOptions): Promise<Failed[]> {
  const all = [...new Set([FLOAT, ...schemes])];
  const files = await Promise.all(all.map((scheme) => results.file(scheme)));
  const left = all.filter((scheme, i) => results.get(scheme) === undefined || files[i] === undefined);
  if (left.length === 0) return [];
  // Its outputs are what all others are compared with, also where its figures are there already.
  const total = new Set([FLOAT, ...left]).size;
  onStage(`comparing ${total} schemes`, total);
  const shares = new Map<string, number>();
  const tell = (scheme: string, share: number) => {
    shares.set(scheme, share);
    onProgress([...shares.values()].reduce((sum, part) => sum + part, 0));
  };
  const judge = async (scheme: string, reference?: Float32Array) => {
    const task: CompareTask = { kind: "judge", scheme, ...(reference && { reference }) };
    const { judged, file, outputs } = (await pool.run(task, (share) => tell(scheme, share))) as JudgedFile;
    await results.keep(judged, file);
    tell(scheme, 1);
    return outputs;
  };
  const reference = await judge(FLOAT);
  const failed: Failed[] = [];
  await Promise.all(
    left
      .filter((scheme) => scheme !== FLOAT)
      .map(async (scheme) => {
        try {
          await judge(scheme, reference);
        } catch (error) {
          if (!(error instanceof TaskError) || error.name === "AbortError") throw error;
          failed.push({ scheme, error: error.message });
          tell(scheme, 1);
        }
      }),
  );
  return failed;
}

/** One at a time, so that nothing else runs beside what is timed. */
async function timeAll(pool: ThreadPool, { schemes, results, onStage, onProgress }: RunOptions): Promise<void> {
  const float = await results.file(FLOAT);
  const left = [...new Set([FLOAT, ...schemes])]
    .map((scheme) => results.get(scheme))
    .filter((entry): entry is Compared => entry !== undefined && entry.msPerSample === undefined);
  if (left.length === 0 || float === undefined) return;
  onStage(`timing ${left.length} schemes`, left.length);
  for (const [index, entry] of left.entries()) {
    const file = await results.file(entry.scheme);
    if (file === undefined) continue;
    const timed = (await pool.run({ kind: "time", file, float })) as Timed;
    // Against itself there is nothing but the machine's noise.
    await results.keep({ ...entry, ...timed, ...(entry.scheme === FLOAT && { timesFloat: 1 }) });
    onProgress(index + 1);
  }
}
