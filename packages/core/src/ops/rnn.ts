/**
 * The simple recurrent network (Elman 1990; ONNX RNN): h = f(x + R h).
 *
 * Inputs: x, R and the others of recurrent.ts. Outputs: y, h. Activations: f.
 */
import type { NodeOf } from "../graph/types.ts";
import { activated, recurrentDot, recurrentReference } from "../testing/recurrent.ts";
import type { Operator } from "./operator.ts";
import {
  type RecurrentAttributes,
  recurrentInputs,
  recurrentOperation,
  recurrentOutputs,
  recurrentRules,
} from "./recurrent.ts";
import type { Value } from "./reference.ts";

export type RnnAttributes = RecurrentAttributes;

export const rnn: Operator<"rnn"> = {
  name: "rnn",
  attributes: recurrentRules(1),
  inputs: recurrentInputs(1),
  outputs: (node, inputs) => recurrentOutputs(node, inputs, 1),
  lower: (node, context) =>
    recurrentOperation(node, context, {
      gates: 1,
      vectors: 1,
      cell(parts) {
        const [gate, f] = [parts.gate(0), parts.activation(0)];
        return {
          step(at, from, to) {
            gate(from, at, to);
            f(to);
          },
        };
      },
    }),
};

export function reference(node: NodeOf<"rnn">, inputs: readonly (Value | undefined)[]): Value[] {
  const { y, h } = recurrentReference(node, 1, inputs, ([x], h) =>
    x!.map((value, j) => activated(node.attributes, 0, value + recurrentDot(inputs[1]!, 0, h, j))),
  );
  return [y, h];
}
