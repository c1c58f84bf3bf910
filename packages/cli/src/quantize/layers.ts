/** Layers of `lowbit quantize` on several threads, and those of long runs kept as they are finished, so that one that was stopped goes on. */

import { rm } from "node:fs/promises";
import { type Feed, type LayerCodes, type LayerTask, type Measuring, readModel, writeModel } from "@lowbit/convert";
import type { Graph, QuantizedConstant } from "lowbit";
import type { Calibration } from "lowbit/quantize";
import { Pool } from "../shared/pool.ts";
import { type Finished, keyOf, Results } from "../shared/results.ts";
import { shared } from "../shared/shared-memory.ts";
import type { DamageTask, MeasureContext, QuantizeTask } from "./thread.ts";

/** The file that the build puts beside the bundle. */
const WORKER = new URL("./quantize-worker.js", import.meta.url);

/** A layer finished with a scheme: its constant is in the packed file. */
interface LayerFigures extends Finished {
  readonly id: string;
  readonly layer: string;
  readonly scheme: string;
  /** Undefined: the weights stay as they are, and there is no file. */
  readonly error: LayerCodes["error"] | undefined;
  /** What the network loses by this layer alone, where that was measured. */
  readonly damage?: number;
}

export interface LayerThreads {
  readonly jobs: number;
  readonly signal: AbortSignal;
  /** Where finished layers are kept; absent: nowhere. */
  readonly kept?: { readonly folder: string; readonly key: string; readonly resume: boolean };
  /** What {@link LayerPool.damage} is measured on; absent: nothing is. */
  readonly network?: { readonly model: Uint8Array; readonly feeds: readonly Feed[] };
}

/**
 * Gives `quantizeModel` and `measureSensitivity` threads to work on. What it makes is the same with any number of them, and whether a layer is made or taken
 * over: what was measured with a scheme is not quantized with it again.
 */
export class LayerPool implements Measuring, AsyncDisposable {
  /** So that a thread which is done need not wait for a longer layer in front of its next. */
  readonly atOnce: number;
  readonly #pool: Pool<QuantizeTask | DamageTask, LayerCodes | number | undefined>;
  readonly #results: Results<LayerFigures> | undefined;
  readonly #threads: LayerThreads;
  /** Of weights, which several schemes are tried on. */
  readonly #digests = new WeakMap<Float32Array, string>();
  readonly #onAbort: () => void;

  private constructor(threads: LayerThreads, results: Results<LayerFigures> | undefined) {
    this.atOnce = threads.jobs === 1 ? 1 : 2 * threads.jobs;
    this.#threads = threads;
    this.#results = results;
    this.#pool = new Pool(WORKER, threads.network && contextOf(threads.network), threads.jobs);
    this.#onAbort = () => void this.#pool.end(threads.signal.reason);
    threads.signal.addEventListener("abort", this.#onAbort);
  }

  /** @throws FileError where the folder cannot be made, or holds something else */
  static async open(threads: LayerThreads): Promise<LayerPool> {
    const { kept } = threads;
    const results =
      kept && (await Results.open<LayerFigures>({ command: "quantize", nameOf: ({ id }) => id, ...kept }));
    return new LayerPool(threads, results);
  }

  readonly quantize = async (
    task: LayerTask,
    inputs: () => Promise<Calibration | undefined>,
  ): Promise<LayerCodes | undefined> => {
    const id = this.#results && this.#idOf(task);
    const finished = id === undefined ? undefined : await this.#finished(id);
    if (finished !== undefined) return finished.codes;
    const codes = (await this.#pool.run({ kind: "quantize", task, inputs: await inputs() })) as LayerCodes | undefined;
    if (id === undefined) return codes;
    const file = codes && writeModel(single(codes.constant));
    const { name: layer, scheme } = task;
    await this.#results?.keep({ id, layer, scheme, bytes: file?.length ?? 0, error: codes?.error }, file);
    return codes;
  };

  readonly damage = async (task: LayerTask, constant: QuantizedConstant): Promise<number> => {
    const finished = this.#results?.get(this.#idOf(task));
    if (typeof finished?.damage === "number") return finished.damage;
    const damage = (await this.#pool.run({ kind: "damage", layer: task.name, constant })) as number;
    if (finished) await this.#results!.keep({ ...finished, damage });
    return damage;
  };

  /** Of what a layer's codes depend on besides its inputs, which are the folder's: a network whose factors were moved has the same layers with other weights. */
  #idOf({ name, scheme, weight: { data } }: LayerTask): string {
    let digest = this.#digests.get(data);
    if (digest === undefined) {
      digest = keyOf([new Uint8Array(data.buffer, data.byteOffset, data.byteLength)]);
      this.#digests.set(data, digest);
    }
    return keyOf([name, scheme, digest]).slice(0, 16);
  }

  /** A layer that was finished before. */
  async #finished(id: string): Promise<{ readonly codes: LayerCodes | undefined } | undefined> {
    const figures = this.#results?.get(id);
    if (figures === undefined) return undefined;
    if (figures.error === undefined) return { codes: undefined };
    const file = await this.#results?.file(id);
    const constant = file && readModel(file).graph.constants.get(NAME);
    return constant?.kind === "quantized" ? { codes: { constant, error: figures.error } } : undefined;
  }

  /** After a failure: says what an interrupted run leaves to go on with, and takes it away where it was something else. @throws the failure */
  async stopped(error: unknown): Promise<never> {
    const [finished, folder] = [this.#results?.size ?? 0, this.#threads.kept?.folder];
    if (!this.#threads.signal.aborted || finished === 0) await this.forget();
    else process.stderr.write(`${finished} finished layers are kept in ${folder}; --resume goes on with them\n`);
    throw error;
  }

  /** Takes away what was kept: nothing is left to go on with. */
  async forget(): Promise<void> {
    const { kept } = this.#threads;
    if (kept) await rm(kept.folder, { recursive: true, force: true });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#threads.signal.removeEventListener("abort", this.#onAbort);
    await this.#pool.end();
  }
}

/** Copies into memory that threads share. */
function contextOf({ model, feeds }: NonNullable<LayerThreads["network"]>): MeasureContext {
  const sharedFeed = (feed: Feed) =>
    Object.fromEntries(
      Object.entries(feed).map(([name, { dtype, shape, data }]) => [name, { dtype, shape, data: shared(data) }]),
    );
  return { model: shared(model), feeds: feeds.map(sharedFeed) };
}

/** What the one constant of a layer's file is called. */
const NAME = "weights";

/** A layer as a packed file: a network of nothing but its constant. */
const single = (constant: QuantizedConstant): Graph => ({
  name: "layer",
  inputs: [],
  outputs: [],
  nodes: [],
  values: new Map(),
  constants: new Map([[NAME, constant]]),
});
