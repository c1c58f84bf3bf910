/** What the references of `rnn`, `gru` and `lstm` share. */
import type { Node } from "../graph/types.ts";
import type { RecurrentActivation, RecurrentAttributes } from "../ops/recurrent.ts";
import type { Value } from "../ops/reference.ts";

/** The oracle of all cells, in f64: `cell` computes a step of one sequence from the numbers of its gates' inputs and the state. */
export function recurrentReference(
  node: Node,
  gates: number,
  inputs: readonly (Value | undefined)[],
  cell: (x: readonly number[][], h: readonly number[], row: number) => number[],
): { readonly y: Value; readonly h: Value } {
  const { reverse } = node.attributes as unknown as RecurrentAttributes;
  const [steps, batch, hidden] = inputs[0]!.shape as [number, number, number];
  const [h0, lengths] = [inputs[gates + 1], inputs[gates + 2]];
  const y = new Float64Array(steps * batch * hidden);
  const last = new Float64Array(batch * hidden);
  for (let row = 0; row < batch; row++) {
    let h = Array.from({ length: hidden }, (_, j) => h0?.data[row * hidden + j] ?? 0);
    const length = lengths?.data[row] ?? steps;
    for (let i = 0; i < length; i++) {
      const at = ((reverse ? length - 1 - i : i) * batch + row) * hidden;
      const x = inputs.slice(0, gates).map((gate) => Array.from(gate!.data.subarray(at, at + hidden)));
      h = cell(x, h, row).map(Math.fround);
      y.set(h, at);
    }
    last.set(h, row * hidden);
  }
  return {
    y: { dtype: "f32", shape: inputs[0]!.shape, data: y },
    h: { dtype: "f32", shape: [batch, hidden], data: last },
  };
}

/** Row j of gate g of the recurrent weights by a state. */
export const recurrentDot = (weights: Value, g: number, h: readonly number[], j: number): number =>
  h.reduce((sum, value, k) => sum + value * weights.data[(g * h.length + j) * h.length + k]!, 0);

/** The i-th activation of a node, behind the clip. */
export function activated(
  { activations, clip: limit = Number.POSITIVE_INFINITY }: RecurrentAttributes,
  i: number,
  x: number,
): number {
  const { function: name, alpha = 0, beta = 0 } = activations[i]!;
  const v = Math.min(limit, Math.max(-limit, x));
  const formulas: Record<RecurrentActivation["function"], () => number> = {
    sigmoid: () => 1 / (1 + Math.exp(-v)),
    tanh: () => Math.tanh(v),
    relu: () => Math.max(0, v),
    leakyRelu: () => (v < 0 ? alpha * v : v),
    thresholdedRelu: () => (v > alpha ? v : 0),
    elu: () => (v > 0 ? v : alpha * Math.expm1(v)),
    hardSigmoid: () => Math.min(1, Math.max(0, alpha * v + beta)),
    softsign: () => v / (1 + Math.abs(v)),
    softplus: () => Math.log1p(Math.exp(v)),
  };
  return formulas[name]();
}
