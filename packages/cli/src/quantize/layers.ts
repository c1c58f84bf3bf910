/** Layers of `lowbit quantize` on several threads, and those of the long schemes kept as they are finished, so that a run that was stopped goes on. */

import { createHash } from "node:crypto";
import { rm } from "node:fs/promises";
import { type LayerCodes, type LayerTask, type Quantizing, readModel, writeModel } from "@lowbit/convert";
import type { Graph, QuantizedConstant } from "lowbit";
import type { Calibration } from "lowbit/quantize";
import { Pool } from "../shared/pool.ts";
import { type Finished, Results } from "../shared/results.ts";
import type { QuantizeTask } from "./thread.ts";

/** The file that the build puts beside the bundle. */
const WORKER = new URL("./quantize-worker.js", import.meta.url);

/** A finished layer: its constant is in the packed file. */
interface LayerFigures extends Finished {
  readonly layer: string;
  /** Undefined: the weights stay as they are, and there is no file. */
  readonly error: LayerCodes["error"] | undefined;
}

export interface LayerThreads {
  readonly jobs: number;
  readonly signal: AbortSignal;
  /** Where finished layers are kept; absent: nowhere. */
  readonly kept?: { readonly folder: string; readonly key: string; readonly resume: boolean };
}

/** Gives `quantizeModel` threads to work on. What it makes is the same with any number of them, and whether a layer is made or taken over. */
export class LayerPool implements Quantizing, AsyncDisposable {
  /** So that a thread which is done need not wait for a longer layer in front of its next. */
  readonly atOnce: number;
  readonly #pool: Pool<QuantizeTask, LayerCodes | undefined>;
  readonly #results: Results<LayerFigures> | undefined;
  readonly #threads: LayerThreads;
  readonly #onAbort: () => void;

  private constructor(threads: LayerThreads, results: Results<LayerFigures> | undefined) {
    this.atOnce = threads.jobs === 1 ? 1 : 2 * threads.jobs;
    this.#threads = threads;
    this.#results = results;
    this.#pool = new Pool(WORKER, undefined, threads.jobs);
    this.#onAbort = () => void this.#pool.end(threads.signal.reason);
    threads.signal.addEventListener("abort", this.#onAbort);
  }

  /** @throws FileError where the folder cannot be made, or holds something else */
  static async open(threads: LayerThreads): Promise<LayerPool> {
    const { kept } = threads;
    const results =
      kept && (await Results.open<LayerFigures>({ command: "quantize", nameOf: ({ layer }) => idOf(layer), ...kept }));
    return new LayerPool(threads, results);
  }

  readonly quantize = async (
    task: LayerTask,
    inputs: () => Promise<Calibration | undefined>,
  ): Promise<LayerCodes | undefined> => {
    const finished = await this.#finished(task.name);
    if (finished !== undefined) return finished.codes;
    const codes = await this.#pool.run({ task, inputs: await inputs() });
    const file = this.#results && codes && writeModel(single(codes.constant));
    await this.#results?.keep({ layer: task.name, bytes: file?.length ?? 0, error: codes?.error }, file);
    return codes;
  };

  /** A layer that was finished before. */
  async #finished(layer: string): Promise<{ readonly codes: LayerCodes | undefined } | undefined> {
    const figures = this.#results?.get(idOf(layer));
    if (figures === undefined) return undefined;
    if (figures.error === undefined) return { codes: undefined };
    const file = await this.#results?.file(idOf(layer));
    const constant = file && readModel(file).graph.constants.get(NAME);
    return constant?.kind === "quantized" ? { codes: { constant, error: figures.error } } : undefined;
  }

  /** After a failure: says what an interrupted run leaves to go on with, and takes it away where it was something else. @throws the failure */
  async stopped(error: unknown): Promise<never> {
    const [finished, folder] = [this.#results?.size ?? 0, this.#threads.kept?.folder];
    if (!this.#threads.signal.aborted || finished === 0) await this.forget();
    else process.stderr.write(`${finished} layers are finished in ${folder}; --resume goes on with them\n`);
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

/** Of a layer among the files: names of layers may have any length and any letters. */
const idOf = (layer: string): string => createHash("sha256").update(layer).digest("hex").slice(0, 16);

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
