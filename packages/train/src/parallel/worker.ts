import { parentPort, workerData } from "node:worker_threads";
import type { GradientCodec, GradientQuantizer } from "lowbit/quantize";
import { startEngine } from "../autograd.ts";
import type { Batch, Dataset } from "../data/dataset.ts";
import { DataError } from "../errors.ts";
import type { Layer } from "../layers/layer.ts";
import { Model } from "../model.ts";
import type { HostTensors } from "../values.ts";
import { codecOf } from "./codec.ts";
import { checkCount } from "./counts.ts";
import { compileGradients } from "./gradients.ts";
import type { FromWorker, ToWorker } from "./protocol.ts";

/** What a program's worker module gives: the same network everywhere, this worker's samples. */
export interface Shard {
  /** Makes the network: the same layers as those of `trainInParallel`. */
  readonly layers: () => Layer[];
  /** This worker's samples, at least `batch` of them. */
  readonly data: Dataset;
  /** Samples of this worker at each step, at least 1. */
  readonly batch: number;
  /** How far the dataset's augmentation may go, in units of its own: pixels for images. Default 0. */
  readonly shift?: number | undefined;
  /** Absent: gradients are sent as floats. */
  readonly quantizer?: GradientQuantizer | undefined;
}

/** Which worker this is. */
export interface WorkerPlace {
  /** From 0 to `workers` - 1. */
  readonly index: number;
  readonly workers: number;
  /** That of `trainInParallel`. */
  readonly seed: number;
}

/**
 * The whole of a worker thread of `trainInParallel`: gradients of this worker's batches, encoded by codecs of its own, one for each parameter, since what a message loses (1-bit SGD's error feedback) belongs to the vector that lost it.
 * Call it from a module that is started as a worker, and leave its errors alone: what the thread does not catch reaches the caller of `trainInParallel`.
 *
 * @throws DataError where the shard has fewer samples than its batch, RangeError where the batch is no whole number of at least 1; what `shardOf` throws
 *
 * @example
 * // worker.js, beside the network.js of `trainInParallel`
 * import { imagesDataset, runGradientWorker } from "@lowbit/train";
 * import { layers, quantizer } from "./network.js";
 *
 * await runGradientWorker(({ index }) => {
 *   // 64 images of 16 x 16, one half of each white: class 0 the left one, class 1 the right one.
 *   const labels = Uint8Array.from({ length: 64 }, (_, i) => (i + index) % 2);
 *   const images = Uint8Array.from({ length: 64 * 256 }, (_, at) => (at % 16 < 8 === (labels[at >> 8] === 0) ? 255 : 0));
 *   const data = imagesDataset({ count: 64, height: 16, width: 16, channels: 1, classes: 2, images, labels });
 *   return { layers, quantizer, data, batch: 16 };
 * });
 */
export async function runGradientWorker(shardOf: (place: WorkerPlace) => Shard | Promise<Shard>): Promise<void> {
  const place = workerData as WorkerPlace;
  const port = parentPort!;
  const shard = await shardOf(place);
  checkShard(shard, place);
  await startEngine();
  const gradientsOf = compileGradients(new Model(shard.layers()));
  const encode = encoder(shard.quantizer, place);
  const batches = endless(shard, place);
  port.on("message", async ({ parameters }: ToWorker) => {
    const { loss, gradients, statistics } = gradientsOf(parameters, batches.next().value);
    port.postMessage({ loss, gradients: await encode(gradients), statistics } satisfies FromWorker);
  });
}

/** Without a whole batch, `endless` would look for one for ever. */
function checkShard({ data, batch }: Shard, { index }: WorkerPlace): void {
  checkCount(`worker ${index}: batch`, batch);
  if (batch > data.count)
    throw new DataError(`worker ${index}: a batch of ${batch} needs as many samples, but its shard has ${data.count}`);
}

/** The batches of one epoch after another. */
function* endless({ data, batch, shift = 0 }: Shard, { index, seed }: WorkerPlace): Generator<Batch, never> {
  for (let epoch = 1; ; epoch++) yield* data.epoch({ batch, seed: seed + index, epoch, shift });
}

/** Encodes a step's gradients, each parameter's by a codec that is its own from step to step. */
function encoder(quantizer: GradientQuantizer | undefined, place: WorkerPlace) {
  const codecs = new Map<string, Pick<GradientCodec, "encode">>();
  return async (gradients: HostTensors): Promise<Record<string, Uint8Array>> => {
    const encoded: Record<string, Uint8Array> = {};
    for (const [name, { data }] of Object.entries(gradients)) {
      const codec = codecs.get(name) ?? (await codecOf(quantizer, seedOf(name, place)));
      codecs.set(name, codec);
      encoded[name] = codec.encode(data);
    }
    return encoded;
  };
}

/** A seed for each parameter of each worker: FNV-1a of the name, from the worker's own beginning. */
const seedOf = (name: string, { index, seed }: WorkerPlace): number =>
  [...name].reduce((hash, c) => Math.imul(hash ^ c.charCodeAt(0), 16777619), seed + 7919 * (index + 1)) >>> 0;
