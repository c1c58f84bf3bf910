/** Whether a run of `lowbit quantize` is worth threads, and whether what it finishes is kept. */

import { availableParallelism } from "node:os";
import { keyOf } from "../shared/results.ts";
import { VERSION } from "../version.ts";
import type { LayerPool, LayerThreads } from "./layers.ts";

/** Below this size of the input, threads take longer to start than all layers to be quantized. */
const WORTH_THREADS = 2 ** 22;

export interface Kept {
  readonly output: string;
  /** All that the layers' codes depend on. */
  readonly key: () => Promise<readonly (string | Uint8Array)[]>;
  readonly resume: boolean;
}

export interface PoolOptions {
  /** Of the input. */
  readonly bytes: number;
  /** Threads; absent: as many as there are cores. */
  readonly jobs: number | undefined;
  readonly signal: AbortSignal;
  readonly kept?: Kept;
}

/** Schemes of one run. */
interface Rules {
  readonly weights?: string;
  readonly layers?: readonly (readonly [glob: string, scheme: string])[];
}

/**
 * Threads for the layers, where there is work for them: rules that look at inputs, many weights, or the user's word. Layers of the former are kept, being long.
 * Undefined: this thread is as fast.
 * @throws FileError where the folder of finished layers cannot be made, or holds something else
 */
export async function openPool({ weights, layers = [] }: Rules, options: PoolOptions): Promise<LayerPool | undefined> {
  const { bytes, jobs, kept } = options;
  const { parseScheme } = await import("lowbit/quantize");
  const schemes = [...(weights === undefined ? [] : [weights]), ...layers.map(([, scheme]) => scheme)];
  const isLong = schemes.some((scheme) => parseScheme(scheme).needs !== "weights");
  const keeps = kept !== undefined && (isLong || kept.resume);
  if (!isLong && !keeps && jobs === undefined && bytes < WORTH_THREADS) return undefined;
  return open(options, keeps ? kept : undefined);
}

/** Threads that measure what each layer bears too (`--auto`): every layer with every candidate, which is kept. */
export const openMeasuringPool = (
  options: PoolOptions,
  network: NonNullable<LayerThreads["network"]>,
): Promise<LayerPool> => open(options, options.kept, network);

async function open(
  { jobs = availableParallelism(), signal }: PoolOptions,
  kept: Kept | undefined,
  network?: LayerThreads["network"],
): Promise<LayerPool> {
  const { LayerPool } = await import("./layers.ts");
  return LayerPool.open({
    ...{ jobs, signal },
    ...(kept && {
      kept: { folder: `${kept.output}.layers`, key: keyOf([VERSION, ...(await kept.key())]), resume: kept.resume },
    }),
    ...(network && { network }),
  });
}
