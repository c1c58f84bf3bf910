import { nn, np } from "../autograd.ts";
import { type RowActivations, rowsAs } from "../estimators/int8-rows.ts";
import { vector } from "../export/graph.ts";
import { filled } from "../values.ts";
import { heUniform, type Layer, matrixSlot, multiply, required } from "./layer.ts";

export interface AttentionOptions {
  /** Width of x and y; a multiple of `heads`. */
  readonly size: number;
  readonly heads: number;
  /** Whether a position sees no later one. Default true. */
  readonly causal?: boolean;
  /** `int8`: rows of what the four products multiply are quantized as they come (`int8Rows`); scores and their mean stay float. Default: as they are. */
  readonly activations?: RowActivations;
}

/** Added to the scores of positions that are not seen: e to that is 0 in f32. */
const UNSEEN = -1e9;

/**
 * Self-attention of several heads (Vaswani et al. 2017): softmax(q kᵀ / √depth) v for each head, then a product. x [N, T, size] -> the same. Parameters `name.q`, `.k`, `.v`, `.out`,
 * each `.weight` [size, size] and `.bias` [size].
 */
export function attention(name: string, { size, heads, causal = true, activations }: AttentionOptions): Layer {
  const depth = size / heads;
  const scale = 1 / Math.sqrt(depth);
  const parts = (["q", "k", "v", "out"] as const).map((part) => ({
    part,
    slot: matrixSlot(`${name}.${part}.weight`, size, size),
    bias: `${name}.${part}.bias`,
  }));
  const [q, k, v, out] = parts as [(typeof parts)[0], (typeof parts)[0], (typeof parts)[0], (typeof parts)[0]];
  return {
    name,
    slots: parts.map(({ slot }) => slot),
    initialize: (random) =>
      Object.assign(
        {},
        ...parts.map(({ slot, bias }) => ({
          // Half of He's variance: no ReLU follows.
          [slot.name]: heUniform(random, [size, size], 2 * size),
          [bias]: filled([size], 0),
        })),
      ),
    apply(x, parameters, context) {
      const [n, length] = x.shape as [number, number, number];
      const rowsOf = (value: np.Array) => rowsAs(activations, value.reshape([n * length, size]));
      const project = ({ slot, bias }: (typeof parts)[0], rows: np.Array) =>
        multiply(context, slot.name, np.matmul, rows, required(parameters, slot.name)).add(required(parameters, bias));
      // q, k and v see the same rows.
      const seen = rowsOf(x);
      const byHead = (value: np.Array) => value.reshape([n, length, heads, depth]).transpose([0, 2, 1, 3]);
      const keys = byHead(project(k, seen.ref)).transpose([0, 1, 3, 2]);
      const scores = np.matmul(byHead(project(q, seen.ref)), keys).mul(scale);
      const masked = causal ? scores.add(np.triu(np.full([length, length], UNSEEN), 1)) : scores;
      const mixed = np.matmul(nn.softmax(masked, -1), byHead(project(v, seen)));
      return project(out, rowsOf(mixed.transpose([0, 2, 1, 3]))).reshape([n, length, size]);
    },
    write(graph, x, tensors, weightOf) {
      const project = ({ part, slot, bias }: (typeof parts)[0], value: string) =>
        graph.add(
          "dense",
          `${name}.${part}`,
          [value, graph.constant(slot.name, weightOf(slot)), vector(graph, bias, required(tensors, bias))],
          activations ? { activations } : {},
        );
      const inputs = [project(q, x), project(k, x), project(v, x)];
      const mixed = graph.add("attention", name, inputs, { heads, kvHeads: heads, scale, causal });
      return project(out, mixed);
    },
  };
}
