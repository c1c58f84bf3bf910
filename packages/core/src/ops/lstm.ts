/**
 * Long short-term memory (Hochreiter, Schmidhuber 1997; forget gates: Gers et al. 2000; peepholes: Gers et al. 2002; ONNX LSTM), gates i, o, f, c:
 *
 *   i = f(x_i + R_i h + p_i * c), f = f(x_f + R_f h + p_f * c), or 1 - i where `coupled`
 *   c = f * c + i * g(x_c + R_c h), o = f(x_o + R_o h + p_o * c) of the new c, h = o * h(c)
 *
 * Inputs: x_i, x_o, x_f, x_c, R and the others of recurrent.ts; c? f32 [B, H] before the first step (absent: 0); peepholes? f32 [3, H] of i, o, f.
 * Outputs: y, h, c f32 [B, H] behind the last step. Activations: f, g, h; the last is not clipped.
 */
import { flag } from "../graph/attributes.ts";
import type { NodeOf } from "../graph/types.ts";
import { activated, recurrentDot, recurrentReference } from "../testing/recurrent.ts";
import type { Operator } from "./operator.ts";
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

export interface LstmAttributes extends RecurrentAttributes {
  /** Whether the forget gate is 1 minus the input gate. */
  readonly coupled: boolean;
}

const [GATES, CELL, PEEPHOLES] = [4, 7, 8];

export const lstm: Operator<"lstm"> = {
  name: "lstm",
  attributes: { ...recurrentRules(3), coupled: flag },
  inputs: recurrentInputs(GATES, "c", "peepholes"),
  outputs(node, inputs) {
    const [y, h] = recurrentOutputs(node, inputs, GATES, [
      (batch, hidden) => [batch, hidden],
      (_, hidden) => [3, hidden],
    ]);
    return [y, h, h];
  },
  lower: (node, context) =>
    recurrentOperation(node, context, {
      gates: GATES,
      vectors: 6,
      state: CELL,
      cell: (parts, state) => cellOf(parts, state, node),
    }),
};

function cellOf(parts: CellParts, state: number, node: NodeOf<"lstm">): Cell {
  const { hidden } = parts;
  const [s, i, o, f, c, t] = [0, 1, 2, 3, 4, 5].map((at) => parts.vector(at)) as Vectors;
  const [candidate, activate, end] = [parts.gate(3), parts.activation(1), parts.activation(2, false)];
  const [add, sub, mul] = [parts.binary("add"), parts.binary("sub"), parts.binary("mul")];
  const gateOf = parts.activation(0);
  const peepholes = parts.input(PEEPHOLES);
  const byChannel = parts.binary("mul", undefined, [hidden]);
  /** The gate whose peephole is the `which`-th. */
  const gate = (g: number, which: number) => {
    const sum = parts.gate(g);
    return (from: number, at: number, cell: number, to: number): void => {
      sum(from, at, peepholes === 0 ? to : t);
      if (peepholes !== 0) {
        byChannel(cell, peepholes + 4 * which * hidden, s);
        add(t, s, to);
      }
      gateOf(to);
    };
  };
  const [input, output, forget] = [gate(0, 0), gate(1, 1), gate(2, 2)];
  const { coupled } = node.attributes;
  return {
    step(at, from, to, row) {
      const cell = state + 4 * row * hidden;
      input(from, at, cell, i);
      candidate(from, at, c);
      activate(c);
      if (coupled) {
        // (1 - i) c as c - i c.
        mul(i, cell, s);
        sub(cell, s, f);
      } else {
        forget(from, at, cell, o);
        mul(o, cell, f);
      }
      mul(i, c, s);
      add(f, s, cell);
      output(from, at, cell, o);
      parts.copy(cell, c);
      end(c);
      mul(o, c, to);
    },
  };
}

type Vectors = [s: number, i: number, o: number, f: number, c: number, t: number];

export function reference(node: NodeOf<"lstm">, inputs: readonly (Value | undefined)[]): Value[] {
  const { attributes } = node;
  const [batch, hidden] = inputs[0]!.shape.slice(1) as [number, number];
  const cells = new Float64Array(batch * hidden);
  if (inputs[CELL]) cells.set(inputs[CELL].data);
  const { y, h } = recurrentReference(node, GATES, inputs, ([xi, xo, xf, xc], h, row) => {
    const sum = (x: readonly number[], g: number, j: number) => x[j]! + recurrentDot(inputs[GATES]!, g, h, j);
    const peep = (which: number, j: number, c: number) => (inputs[PEEPHOLES]?.data[which * hidden + j] ?? 0) * c;
    return h.map((_, j) => {
      const before = cells[row * hidden + j]!;
      const i = activated(attributes, 0, sum(xi!, 0, j) + peep(0, j, before));
      const f = attributes.coupled ? 1 - i : activated(attributes, 0, sum(xf!, 2, j) + peep(2, j, before));
      const c = Math.fround(f * before + i * activated(attributes, 1, sum(xc!, 3, j)));
      cells[row * hidden + j] = c;
      const o = activated(attributes, 0, sum(xo!, 1, j) + peep(1, j, c));
      return o * activated({ activations: attributes.activations, reverse: false }, 2, c);
    });
  });
  return [y, h, { dtype: "f32", shape: [batch, hidden], data: cells }];
}
