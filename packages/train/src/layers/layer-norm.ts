import { np } from "../autograd.ts";
import { vector } from "../export/graph.ts";
import { filled } from "../values.ts";
import { EPSILON } from "./batch-norm.ts";
import { type Layer, required } from "./layer.ts";

/** Layer normalization over the last axis (Ba, Kiros, Hinton 2016): (x - mean) / sqrt(variance + 1e-5) * scale + bias. */
export function layerNorm(name: string, size: number): Layer {
  const [scale, bias] = [`${name}.scale`, `${name}.bias`];
  return {
    name,
    initialize: () => ({ [scale]: filled([size], 1), [bias]: filled([size], 0) }),
    apply(x, parameters) {
      const centred = x.ref.sub(x.mean(-1, { keepdims: true }));
      const variance = centred.ref.mul(centred.ref).mean(-1, { keepdims: true });
      const normal = centred.div(np.sqrt(variance.add(EPSILON)));
      return normal.mul(required(parameters, scale)).add(required(parameters, bias));
    },
    write: (graph, x, tensors) =>
      graph.add("layerNorm", name, [x, ...[scale, bias].map((part) => vector(graph, part, required(tensors, part)))], {
        epsilon: EPSILON,
      }),
  };
}
