/** A thread of `lowbit quantize`: quantizes the layers that it is sent, and for `--auto` measures what that does to the network. */

import { workerData } from "node:worker_threads";
import { damageMeter, type Feed, type LayerTask, quantizeLayer, readModel } from "@lowbit/convert";
import { type QuantizedConstant, Tensor, type TensorDType } from "lowbit";
import type { Calibration } from "lowbit/quantize";
import { serveTasks } from "../shared/pool-thread.ts";

/** The network of `--auto` and its samples; bytes and arrays over shared memory, so that threads need no copies. */
export interface MeasureContext {
  /** The float network as a packed file. */
  readonly model: Uint8Array;
  readonly feeds: readonly Readonly<Record<string, SharedTensor>>[];
}

/** A tensor as threads hand it on: without its class. */
export interface SharedTensor {
  readonly dtype: TensorDType;
  readonly shape: readonly number[];
  readonly data: ArrayBufferView;
}

export interface QuantizeTask {
  readonly kind: "quantize";
  readonly task: LayerTask;
  /** Of the layer, where its scheme looks at them. */
  readonly inputs: Calibration | undefined;
}

/** What the network's first output loses by quantized weights of one layer. */
export interface DamageTask {
  readonly kind: "damage";
  readonly layer: string;
  readonly constant: QuantizedConstant;
}

function openMeter({ model, feeds }: MeasureContext): ReturnType<typeof damageMeter> {
  const tensorOf = ({ dtype, shape, data }: SharedTensor) => new Tensor(dtype, shape, data as never);
  const feedOf = (feed: MeasureContext["feeds"][number]): Feed =>
    Object.fromEntries(Object.entries(feed).map(([name, tensor]) => [name, tensorOf(tensor)]));
  return damageMeter(readModel(model).graph, feeds.map(feedOf));
}

/** Serves layers until the thread is ended. */
export function serve(): void {
  let meter: ReturnType<typeof damageMeter> | undefined;
  serveTasks<QuantizeTask | DamageTask>(async (work) => {
    if (work.kind === "quantize") return quantizeLayer(work.task, work.inputs);
    meter ??= openMeter(workerData as MeasureContext);
    return meter(work.layer, work.constant);
  });
}
