/** What layerNorm and rmsNorm share. */
import type { InputRule, OutputRules } from "../graph/operators.ts";
import type { NodeOf } from "../graph/types.ts";
import { RowNorm } from "../kernels/normalize.ts";
import { rowsOf } from "../runtime/layout.ts";
import type { LoweringContext } from "../runtime/lower/context.ts";
import type { Operation } from "../runtime/lower/operation.ts";
import { refuse, shapeOf } from "./operator.ts";
import type { Value } from "./reference.ts";

type RowNormNode = NodeOf<"layerNorm"> | NodeOf<"rmsNorm">;

const perChannel: InputRule = { what: "per-channel constants", dtypes: ["f32", "f16"], constant: true };

export const rowNormInputs: readonly InputRule[] = [{ dtypes: ["f32"] }, perChannel, { ...perChannel, optional: true }];

export const rowNormOutputs: OutputRules<RowNormNode> = (node, inputs) => {
  const x = shapeOf(node, inputs);
  const channels = x.at(-1);
  if (channels === undefined) refuse(node, "axes of x (at least)", 1, 0);
  for (const [i, input] of inputs.entries())
    if (i > 0 && input && (input.shape.length !== 1 || input.shape[0] !== channels))
      refuse(node, `shape of input ${i}`, [channels], input.shape);
  return [{ dtypes: ["f32"], shape: x }];
};

export function lowerRowNorm(node: RowNormNode, context: LoweringContext, centered: boolean): Operation {
  const [x = "", scale, bias] = node.inputs;
  const [output = ""] = node.outputs;
  const object = new RowNorm(context.instance, {
    scale: context.floats(scale)!,
    bias: context.floats(bias),
    epsilon: node.attributes.epsilon,
    centered,
  });
  return {
    node: node.name,
    op: node.op,
    kernel: "normalize",
    inputs: [x],
    output,
    storage: "inPlace",
    bind({ pointer, shape }) {
      const [from, to, rows] = [pointer(x), pointer(output), rowsOf(shape(x))];
      return () => object.run(from, rows, to);
    },
    [Symbol.dispose]: () => object.dispose(),
  };
}

/** The formula in f64. */
export function normalizedRows(
  epsilon: number,
  [x, scale, bias]: readonly (Value | undefined)[],
  centered: boolean,
): Value[] {
  const channels = x!.shape.at(-1)!;
  const data = new Float64Array(x!.data.length);
  for (let start = 0; start < data.length; start += channels) {
    const row = x!.data.subarray(start, start + channels);
    const mean = centered ? row.reduce((sum, v) => sum + v, 0) / channels : 0;
    const variance = row.reduce((sum, v) => sum + (v - mean) * (v - mean), 0) / channels;
    for (const [c, v] of row.entries())
      data[start + c] = ((v - mean) / Math.sqrt(variance + epsilon)) * scale!.data[c]! + (bias?.data[c] ?? 0);
  }
  return [{ ...x!, data }];
}
