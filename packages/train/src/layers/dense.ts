import { np } from "../autograd.ts";
import { type RowActivations, rowsAs } from "../estimators/int8-rows.ts";
import { floatWeights, type WeightRule } from "../estimators/weights.ts";
import { vector } from "../export/graph.ts";
import type { FrozenLayer } from "../frozen/layers.ts";
import { transpose } from "../frozen/layout.ts";
import { filled, type HostTensors } from "../values.ts";
import { heUniform, type Layer, matrixSlot, multiply, required, underRule } from "./layer.ts";

export interface DenseOptions {
  /** Shape of one sample: [K] (of any number of leading axes), or [H, W, C], which is flattened. */
  readonly from: readonly [number] | readonly [number, number, number];
  readonly outputs: number;
  readonly weights?: WeightRule;
  readonly bias?: boolean;
  /** `int8`: rows of x are quantized as they come (`int8Rows`), and the packed network multiplies integers. Default: x as it is. */
  readonly activations?: RowActivations;
}

/** y = x w + b, x [..., K] (or [N, H, W, C], flattened) -> [..., outputs]. Parameters `name.weight` [K, outputs] and, where asked for, `name.bias` [outputs]. */
export function dense(
  name: string,
  { from, outputs, weights = floatWeights, bias = false, activations }: DenseOptions,
): Layer {
  const inputs = from.reduce((product, size) => product * size, 1);
  const weight = `${name}.weight`;
  const offset = `${name}.bias`;
  const own = underRule(weights, matrixSlot(weight, inputs, outputs));
  const freeze = (tensors: HostTensors): FrozenLayer[] => {
    const { data } = weights.freeze(required(tensors, weight));
    // Training flattens [H,W,C]; the frozen network is channels first and flattens [C,H,W].
    const rows =
      from.length === 1
        ? transpose({ shape: [inputs, outputs], data }, [1, 0])
        : transpose({ shape: [...from, outputs], data }, [3, 2, 0, 1]);
    return [
      ...(from.length === 1 ? [] : [{ kind: "flatten", name: `${name}.flatten` } as const]),
      {
        kind: "dense",
        name,
        weight: { shape: [outputs, inputs], data: rows.data },
        ...(bias ? { bias: required(tensors, offset) } : {}),
      },
    ];
  };
  return {
    name,
    ...(weights.limit === undefined ? {} : { limits: { [weight]: weights.limit } }),
    initialize: (random) => ({
      [weight]: heUniform(random, [inputs, outputs], inputs),
      ...(bias ? { [offset]: filled([outputs], 0) } : {}),
    }),
    slots: own.slots,
    apply(x, parameters, context) {
      const leading = from.length === 1 ? x.shape.slice(0, -1) : [x.shape[0]!];
      const w = weights.apply(required(parameters, weight));
      const rows = rowsAs(activations, x.reshape([-1, inputs]));
      const product = multiply(context, weight, np.matmul, rows, w).reshape([...leading, outputs]);
      return bias ? product.add(required(parameters, offset)) : product;
    },
    write(graph, x, tensors, weightOf) {
      const flat = from.length === 1 ? x : graph.add("reshape", `${name}.flatten`, [x], { shape: [0, inputs] });
      const constants = [graph.constant(weight, own.constant(tensors, weightOf))];
      if (bias) constants.push(vector(graph, offset, required(tensors, offset)));
      return graph.add("dense", name, [flat, ...constants], activations ? { activations } : {});
    },
    // Rows quantized as they come have no ONNX form.
    ...(activations === undefined ? { freeze } : {}),
  };
}
