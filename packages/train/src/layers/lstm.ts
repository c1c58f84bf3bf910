import { np } from "../autograd.ts";
import { signSte, straightThrough } from "../estimators/ste.ts";
import { type GraphWriter, signNodes, vector } from "../export/graph.ts";
import { sigmoid } from "../sigmoid.ts";
import { filled, type HostTensor } from "../values.ts";
import { type Layer, matrixSlot, multiply, required, uniformTensor } from "./layer.ts";

export interface LstmOptions {
  readonly inputs: number;
  readonly size: number;
  /** Steps of a sequence; the Graph has the cell so many times, with one set of weights. */
  readonly length: number;
  /** Both products on the signs of what they multiply, x_t and h; the gates stay float (Hou et al. 2017, section 4.2). Default false. */
  readonly signs?: boolean;
}

/** Gates in the order of the weights' columns: input, forget, candidate, output. */
const GATES = ["input", "forget", "candidate", "output"] as const;

/**
 * Long short-term memory (Hochreiter, Schmidhuber 1997, with forget gates), from state 0:
 *
 *   z = x_t Wx + h Wh + b;   c = σ(z_f) c + σ(z_i) tanh(z_g);   h = σ(z_o) tanh(c).
 *
 * x [N, T, inputs] -> h [N, T, size]. With `signs` it is sign(x_t) Wx + sign(h) Wh, so that with binary weights both products are of bits; the gradient of a sign is the clipped one. sign(h) is computed as sign(c), which it is: a gate is above 0, but may underflow. Parameters `name.x.weight` [inputs, 4 size], `name.h.weight` [size, 4 size], `name.bias` [4 size], whose forget part starts at 1.
 */
export function lstm(name: string, { inputs, size, length, signs = false }: LstmOptions): Layer {
  const fromX = matrixSlot(`${name}.x.weight`, inputs, 4 * size);
  const fromH = matrixSlot(`${name}.h.weight`, size, 4 * size);
  const bias = `${name}.bias`;
  return {
    name,
    slots: [fromX, fromH],
    initialize: (random) => ({
      [fromX.name]: uniformTensor(random, [inputs, 4 * size], Math.sqrt(3 / inputs)),
      [fromH.name]: uniformTensor(random, [size, 4 * size], Math.sqrt(3 / size)),
      [bias]: forgetOpen(size),
    }),
    apply(x, parameters, context) {
      const n = x.shape[0]!;
      const rows = x.transpose([1, 0, 2]).reshape([length * n, inputs]);
      const given = multiply(
        context,
        fromX.name,
        np.matmul,
        signs ? signSte(rows) : rows,
        required(parameters, fromX.name),
      )
        .add(required(parameters, bias))
        .reshape([length, n, 4 * size]);
      const steps = np.split(given, length, 0);
      const weight = required(parameters, fromH.name);
      const states: np.Array[] = [];
      let cell: np.Array | undefined;
      /** What the next step multiplies. */
      let seen: np.Array | undefined;
      for (let t = 0; t < length; t++) {
        const own = steps[t]!.reshape([n, 4 * size]);
        const z = seen === undefined ? own : own.add(multiply(context, fromH.name, np.matmul, seen, weight.ref));
        const gate = (index: number) => z.ref.slice([], [index * size, (index + 1) * size]);
        const fresh = sigmoid(gate(0)).mul(np.tanh(gate(2)));
        cell = cell === undefined ? fresh : sigmoid(gate(1)).mul(cell).add(fresh);
        const state = sigmoid(gate(3)).mul(np.tanh(cell.ref));
        states.push(state);
        seen = signs ? straightThrough(np.where(cell.ref.greaterEqual(0), 1, -1), state.ref) : state.ref;
      }
      seen?.dispose();
      return np.stack(states, 1);
    },
    write(graph, x, tensors, weightOf) {
      const wx = graph.constant(fromX.name, weightOf(fromX));
      const wh = graph.constant(fromH.name, weightOf(fromH));
      const signOf = (value: string, as: string) => signNodes(graph, as, value);
      const given = graph.add(
        "dense",
        `${name}.x`,
        [signs ? signOf(x, `${name}.x.sign`) : x, wx, vector(graph, bias, required(tensors, bias))],
        {},
      );
      const states: string[] = [];
      let cell: string | undefined;
      for (let t = 0; t < length; t++) {
        const at = `${name}.${t}`;
        const one = cut(graph, `${at}.given`, given, 1, t, t + 1);
        const own = graph.add("reshape", `${at}.own`, [one], { shape: [0, 4 * size] });
        const before = signs && cell !== undefined ? signOf(cell, `${at}.h.sign`) : states[t - 1];
        const z =
          before === undefined
            ? own
            : graph.add("add", `${at}.z`, [own, graph.add("dense", `${at}.h`, [before, wh], {})], {});
        const [input, forget, candidate, output] = GATES.map((gate, index) => {
          const part = cut(graph, `${at}.${gate}.z`, z, 1, index * size, (index + 1) * size);
          return graph.add(gate === "candidate" ? "tanh" : "sigmoid", `${at}.${gate}`, [part], {});
        }) as [string, string, string, string];
        const fresh: string = graph.add("mul", `${at}.fresh`, [input, candidate], {});
        cell =
          cell === undefined
            ? fresh
            : graph.add("add", `${at}.cell`, [graph.add("mul", `${at}.kept`, [forget, cell], {}), fresh], {});
        states.push(graph.add("mul", `${at}.state`, [output, graph.add("tanh", `${at}.tanh`, [cell], {})], {}));
      }
      const steps = states.map((state, t) =>
        graph.add("reshape", `${name}.${t}.row`, [state], { shape: [0, 1, size] }),
      );
      return steps.length === 1 ? steps[0]! : graph.add("concat", name, steps, { axis: 1 });
    },
  };
}

/** Zeros, and 1 for the forget gates (Gers et al. 2000), so that nothing is forgotten at first. */
function forgetOpen(size: number): HostTensor {
  const bias = filled([4 * size], 0);
  bias.data.fill(1, size, 2 * size);
  return bias;
}

/** Positions [from, to) of an axis. */
function cut(graph: GraphWriter, name: string, x: string, axis: number, from: number, to: number): string {
  const list = (part: string, value: number) =>
    graph.constant(`${name}.${part}`, {
      kind: "plain",
      dtype: "int64",
      shape: [1],
      data: BigInt64Array.of(BigInt(value)),
    });
  return graph.add("slice", name, [x, list("from", from), list("to", to), list("axis", axis)], {});
}
