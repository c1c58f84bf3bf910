/**
 * The gated recurrent unit (Cho et al. 2014; ONNX GRU), gates z, r, n:
 *
 *   z = f(x_z + R_z h), r = f(x_r + R_r h), n = g(x_n + R_n (r * h)), h = (1 - z) * n + z * h
 *
 * `resetAfter` (Keras's reset_after, ONNX's linear_before_reset): n = g(x_n + r * (R_n h + bias)), as cuDNN and PyTorch have it.
 *
 * Inputs: x_z, x_r, x_n, R and the others of recurrent.ts; bias? f32 [H], constant, of `resetAfter`. Outputs: y, h. Activations: f, g.
 */
import { flag } from "../graph/attributes.ts";
import type { NodeOf } from "../graph/types.ts";
import { activated, recurrentDot, recurrentReference } from "../testing/recurrent.ts";
import { type Operator, refuse } from "./operator.ts";
import {
  type Cell,
  type CellParts,
  type RecurrentAttributes,
  recurrentInputs,
  recurrentOperation,
  recurrentOutputs,
  recurrentRules,
} from "./recurrent.ts";
import type { Value } from "./reference.ts";

export interface GruAttributes extends RecurrentAttributes {
  readonly resetAfter: boolean;
}

const [GATES, BIAS] = [3, 6];

export const gru: Operator<"gru"> = {
  name: "gru",
  attributes: { ...recurrentRules(2), resetAfter: flag },
  inputs: [
    ...recurrentInputs(GATES),
    { what: "bias of the reset gate's product", dtypes: ["f32"], constant: true, optional: true },
  ],
  outputs(node, inputs) {
    if (inputs[BIAS] && !node.attributes.resetAfter) refuse(node, "bias", "none without resetAfter", "one");
    return recurrentOutputs(node, inputs, GATES, [(_, hidden) => [hidden]]);
  },
  lower(node, context) {
    const bias = context.floats(node.inputs[BIAS]);
    const { resetAfter } = node.attributes;
    const cell = (parts: CellParts) => cellOf(parts, resetAfter);
    const operation = recurrentOperation(node, context, { gates: GATES, vectors: 4, bias, cell });
    return { ...operation, constants: operation.constants!.filter((name) => name !== node.inputs[BIAS]) };
  },
};

function cellOf(parts: CellParts, resetAfter: boolean): Cell {
  const [t, z, r, n] = [0, 1, 2, 3].map((i) => parts.vector(i)) as [number, number, number, number];
  const [updating, resetting, product] = [parts.gate(0), parts.gate(1), parts.product(2)];
  const [f, g] = [parts.activation(0), parts.activation(1)];
  const [add, sub, mul] = [parts.binary("add"), parts.binary("sub"), parts.binary("mul")];
  const input = parts.input(2);
  return {
    step(at, from, to) {
      updating(from, at, z);
      f(z);
      resetting(from, at, r);
      f(r);
      if (resetAfter) {
        product(from, t);
        mul(r, t, n);
        add(n, input + at, r);
      } else {
        mul(r, from, n);
        product(n, t);
        add(t, input + at, r);
      }
      g(r);
      // r is n of the formula now. (1 - z) n + z h as n - z n + z h.
      mul(z, r, n);
      sub(r, n, t);
      mul(z, from, n);
      add(t, n, to);
    },
  };
}

export function reference(node: NodeOf<"gru">, inputs: readonly (Value | undefined)[]): Value[] {
  const { attributes } = node;
  const dot = (gate: number, h: readonly number[], j: number) => recurrentDot(inputs[GATES]!, gate, h, j);
  const { y, h } = recurrentReference(node, GATES, inputs, ([xz, xr, xn], h) => {
    const gate = (x: readonly number[], i: number) => x.map((v, j) => activated(attributes, 0, v + dot(i, h, j)));
    const [z, r] = [gate(xz!, 0), gate(xr!, 1)];
    const kept = h.map((v, j) => v * r[j]!);
    return h.map((before, j) => {
      const inner = attributes.resetAfter ? r[j]! * (dot(2, h, j) + (inputs[BIAS]?.data[j] ?? 0)) : dot(2, kept, j);
      const n = activated(attributes, 1, xn![j]! + inner);
      return (1 - z[j]!) * n + z[j]! * before;
    });
  });
  return [y, h];
}
