import { parentPort, workerData } from "node:worker_threads";
import type { GradientCodec, GradientQuantizer } from "lowbit/quantize";
import { startEngine } from "../autograd.ts";
import type { Dataset } from "../data/dataset.ts";
import type { Layer } from "../layers/layer.ts";
import { Model } from "../model.ts";
import { codecOf } from "./codec.ts";
import { compileGradients } from "./gradients.ts";
import type { FromWorker, ToWorker } from "./protocol.ts";

/** What a program's worker module gives: the same network everywhere, this worker's samples. */
export interface Shard {
  readonly layers: () => Layer[];
  readonly data: Dataset;
  readonly batch: number;
  /** Absent: gradients are sent as floats. */
  readonly quantizer?: GradientQuantizer | undefined;
}

/** Which worker this is. */
export interface WorkerPlace {
  readonly index: number;
  readonly workers: number;
  readonly seed: number;
}

/**
 * The whole of a worker thread of `trainInParallel`: gradients of this worker's batches, encoded by codecs of its own, one for each parameter, since what a message loses (1-bit SGD's error feedback) belongs to the vector that lost it.
 * Call it from a module that is started as a worker.
 */
export async function runGradientWorker(shardOf: (place: WorkerPlace) => Shard | Promise<Shard>): Promise<void> {
  const place = workerData as WorkerPlace;
  const port = parentPort!;
  const { layers, data, batch, quantizer } = await shardOf(place);
  await startEngine();
  const gradients = compileGradients(new Model(layers()));
  const codecs = new Map<string, Pick<GradientCodec, "encode">>();
  const seedOf = (name: string) =>
    [...name].reduce(
      (hash, c) => Math.imul(hash ^ c.charCodeAt(0), 16777619),
      place.seed + 7919 * (place.index + 1),
    ) >>> 0;
  function* endless() {
    for (let epoch = 1; ; epoch++) yield* data.epoch({ batch, seed: place.seed + place.index, epoch, shift: 0 });
  }
  const batches = endless();
  port.on("message", async (message: ToWorker) => {
    if (message.kind === "end") {
      port.close();
      return;
    }
    const { loss, gradients: own, statistics } = gradients(message.parameters, batches.next().value!);
    const encoded: Record<string, Uint8Array> = {};
    for (const [name, { data: vector }] of Object.entries(own)) {
      let codec = codecs.get(name);
      if (codec === undefined) {
        codec = await codecOf(quantizer, seedOf(name));
        codecs.set(name, codec);
      }
      encoded[name] = codec.encode(vector);
    }
    port.postMessage({ step: message.step, loss, gradients: encoded, statistics } satisfies FromWorker);
  });
}
