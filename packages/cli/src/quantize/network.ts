/** `lowbit quantize` of a network: calibrates, chooses schemes where they are to be chosen, quantizes on threads, makes the file. */

import type { PassRecord, QuantizeModelOptions, QuantizeModelResult } from "@lowbit/convert";
import type { Pack } from "lowbit";
import { readCalibration } from "../shared/calibration.ts";
import { readDataset } from "../shared/dataset.ts";
import { readInput } from "../shared/files.ts";
import { isTensorsOnly, type OpenedGraph } from "../shared/model.ts";
import { parityOf } from "../shared/outcome.ts";
import type { Progress } from "../shared/progress.ts";
import { provenanceOf } from "../shared/provenance.ts";
import { type AutoGoal, chooseSchemes } from "./auto.ts";
import type { LayerPool } from "./layers.ts";
import { openMeasuringPool, openPool, type PoolOptions } from "./open-pool.ts";
import { type Rules, recipeOf } from "./rules.ts";

export interface NetworkOptions {
  readonly output: string;
  /** Path of the samples. */
  readonly calibrate: string | undefined;
  /** Chooses a scheme for each layer; needs `calibrate`. */
  readonly auto?: { readonly goal: AutoGoal; readonly data: string | undefined };
  readonly jobs: number | undefined;
  readonly pack: Pack;
  readonly resume: boolean;
  readonly progress: Progress;
  readonly signal: AbortSignal;
  readonly explain: ((record: PassRecord) => void) | undefined;
}

type Calibration = NonNullable<QuantizeModelOptions["calibration"]>;

/** A quantized network and its file. */
interface Made {
  readonly result: QuantizeModelResult;
  readonly bytes: Uint8Array;
}

/** Shows the two stages of quantizing as they come. */
export function stages(progress: Progress): NonNullable<QuantizeModelOptions["onProgress"]> {
  let current = "";
  return (stage, done, total) => {
    if (stage !== current) progress.stage(stage === "quantize" ? "quantizing" : "measuring", total);
    current = stage;
    progress.update(done);
  };
}

/** One run over one network. Its threads end when it is disposed of. */
export class NetworkRun implements AsyncDisposable {
  readonly #opened: OpenedGraph;
  readonly #given: Rules;
  readonly #options: NetworkOptions;
  readonly #calibration: Calibration | undefined;
  readonly #pool: LayerPool | undefined;

  private constructor(
    opened: OpenedGraph,
    given: Rules,
    options: NetworkOptions,
    calibration: Calibration | undefined,
    pool: LayerPool | undefined,
  ) {
    this.#opened = opened;
    this.#given = given;
    this.#options = options;
    this.#calibration = calibration;
    this.#pool = pool;
  }

  /** @throws FileError for samples that cannot be read or do not fit, and for a folder of finished layers that is none */
  static async open(opened: OpenedGraph, given: Rules, options: NetworkOptions): Promise<NetworkRun> {
    const { calibrate, auto, jobs, signal, output, resume, progress } = options;
    const { writeModel } = await import("@lowbit/convert");
    const calibration =
      calibrate === undefined ? undefined : await readCalibration(calibrate, opened.graph, progress, signal);
    // For `--auto` both the key and the threads want it.
    const model = auto ? writeModel(opened.graph) : undefined;
    const key = async () => [
      `${recipeOf(given)}${auto ? " --auto" : ""}`,
      model ?? writeModel(opened.graph),
      ...(calibrate === undefined ? [] : [await readInput(calibrate)]),
    ];
    const threads: PoolOptions = { bytes: opened.bytes.length, jobs, signal, kept: { output, key, resume } };
    const pool =
      model && calibration ? openMeasuringPool(threads, { model, feeds: calibration.feeds }) : openPool(given, threads);
    return new NetworkRun(opened, given, options, calibration, await pool);
  }

  /**
   * The network by the rules given, or by those that keep the goal of `auto`.
   * @throws RefusedError where no schemes keep the goal; the signal's reason, after a word about what is kept
   */
  async make(): Promise<Made> {
    const { progress, explain } = this.#options;
    try {
      return await this.#quantized(await this.#rules(), {
        onProgress: stages(progress),
        ...(explain && { explain }),
      });
    } catch (error) {
      await this.#pool?.stopped(error);
      throw error;
    }
  }

  /** Takes away the finished layers that were kept to go on with. */
  async forget(): Promise<void> {
    await this.#pool?.forget();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#pool?.[Symbol.asyncDispose]();
  }

  async #rules(): Promise<Rules> {
    const [calibration, measuring] = [this.#calibration, this.#pool];
    const { auto, progress, signal } = this.#options;
    if (!auto || !calibration || !measuring) return this.#given;
    const data = auto.data === undefined ? undefined : await readDataset(auto.data);
    const layers = await chooseSchemes(this.#opened.graph, auto.goal, {
      ...{ calibration, data, measuring, progress, signal },
      make: async (layers) => {
        const { result, bytes } = await this.#quantized({ ...this.#given, layers });
        return { bytes: bytes.length, graph: result.graph };
      },
    });
    return { ...this.#given, layers };
  }

  async #quantized(rules: Rules, told: Pick<QuantizeModelOptions, "onProgress" | "explain"> = {}): Promise<Made> {
    const { quantizeModel, quantizeTensors, writeModel } = await import("@lowbit/convert");
    const [opened, calibration, pool] = [this.#opened, this.#calibration, this.#pool];
    const { signal, pack } = this.#options;
    const work = { ...rules, ...told, signal, ...(pool && { quantizing: pool }) };
    const result = await (isTensorsOnly(opened)
      ? quantizeTensors(opened.graph, work)
      : quantizeModel(opened.graph, { ...work, ...(calibration && { calibration }) }));
    const provenance = await provenanceOf(opened, result.graph, recipeOf(rules));
    return { result, bytes: writeModel(result.graph, { provenance, parity: parityOf(result) }, { pack }) };
  }
}
