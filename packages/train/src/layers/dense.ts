import { numpy as np } from "@jax-js/jax";
import { floatWeights, type WeightRule } from "../estimators/weights.ts";
import { transpose } from "../frozen/layout.ts";
import { filled } from "../values.ts";
import { heUniform, type Layer, required } from "./layer.ts";

export interface DenseOptions {
  /** Shape of one sample: [K], or [H, W, C], which is flattened. */
  readonly from: readonly [number] | readonly [number, number, number];
  readonly outputs: number;
  readonly weights?: WeightRule;
  readonly bias?: boolean;
}

/** y = x w + b. Parameters `name.weight` [K, outputs] and, where asked for, `name.bias` [outputs]. */
export function dense(name: string, { from, outputs, weights = floatWeights, bias = false }: DenseOptions): Layer {
  const inputs = from.reduce((product, size) => product * size, 1);
  const weight = `${name}.weight`;
  const offset = `${name}.bias`;
  return {
    name,
    ...(weights.limit === undefined ? {} : { limits: { [weight]: weights.limit } }),
    initialize: (random) => ({
      [weight]: heUniform(random, [inputs, outputs], inputs),
      ...(bias ? { [offset]: filled([outputs], 0) } : {}),
    }),
    apply(x, parameters) {
      const flat = x.reshape([x.shape[0] as number, inputs]);
      const product = np.matmul(flat, weights.apply(required(parameters, weight)));
      return bias ? product.add(required(parameters, offset)) : product;
    },
    freeze(tensors) {
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
    },
  };
}
