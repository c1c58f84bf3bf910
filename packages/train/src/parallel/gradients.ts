import { autograd, nn, type np } from "../autograd.ts";
import type { Batch } from "../data/dataset.ts";
import type { Model } from "../model.ts";
import { type Arrays, disposeAll, type HostTensors, toArray, toArrays, toHost } from "../values.ts";

/** The compiled gradient of a network's mean cross-entropy: what a worker computes. */
export function compileGradients(
  model: Model,
): (parameters: HostTensors, batch: Batch) => { loss: number; gradients: HostTensors; statistics: HostTensors } {
  const run = autograd.compile((parameters: Arrays, x: np.Array, labels: np.Array) => {
    const loss = (moved: Arrays): readonly [np.Array, Arrays] => {
      const batchStatistics: Arrays = {};
      const logits = model.forward(x.ref, moved, { training: true, statistics: {}, batchStatistics });
      return [nn.logSoftmax(logits, -1).mul(labels.ref).sum(-1).mean().mul(-1), batchStatistics];
    };
    const { value, aux, gradients } = autograd.gradient(loss, parameters);
    return { value, aux, gradients };
  });
  return (parameters, batch) => {
    const { value, aux, gradients } = run(toArrays(parameters), toArray(batch.x), toArray(batch.labels));
    return { loss: value.item() as number, gradients: taken(gradients), statistics: taken(aux) };
  };
}

/** Copies out of the engine, and gives the memory back: a worker lives for as many steps as the training has. */
function taken(arrays: Arrays): HostTensors {
  const tensors = toHost(arrays);
  disposeAll(arrays);
  return tensors;
}
