/**
 * Scaled dot-product attention of several heads (Vaswani et al. 2017; shared keys and values: Ainslie et al. 2023), without a matrix of scores in memory:
 *
 * y = softmax(q kᵀ * scale + mask) v for each head. A causal query s sees the keys 0 to s + T - S only; one that sees no key gives zeros.
 *
 * Inputs: q f32 [B, S, heads * depth], k and v f32 [B, T, kvHeads * depth]; mask? int32 or int64 [B, T], keys that are seen where it is not 0, or f32, added to the scaled dots,
 * [B or 1, heads or 1, S or 1, T]. Output: as q.
 */
import * as attribute from "../graph/attributes.ts";
import type { Dim, NodeOf } from "../graph/types.ts";
import { Attention } from "../kernels/attention.ts";
import { sizeOf } from "../tensor.ts";
import { type Operator, operationOf, refuse, shapeOf } from "./operator.ts";
import { build, type Value } from "./reference.ts";

export interface AttentionAttributes {
  readonly heads: number;
  /** Heads of k and v; divides `heads`. */
  readonly kvHeads: number;
  /** Of the dots; usually 1 / sqrt(depth). */
  readonly scale: number;
  readonly causal: boolean;
}

const f32 = { dtypes: ["f32"] } as const;

export const attention: Operator<"attention"> = {
  name: "attention",
  attributes: {
    heads: attribute.integer(1, 4096),
    kvHeads: attribute.integer(1, 4096),
    scale: attribute.finite,
    causal: attribute.flag,
  },
  inputs: [f32, f32, f32, { what: "mask", dtypes: ["int32", "int64", "f32"], optional: true }],
  outputs(node, inputs) {
    const [q, k, v] = [0, 1, 2].map((i) => shapeOf(node, inputs, i)) as [
      readonly Dim[],
      readonly Dim[],
      readonly Dim[],
    ];
    const { heads, kvHeads } = node.attributes;
    for (const [i, shape] of [q, k, v].entries())
      if (shape.length !== 3) refuse(node, `axes of input ${i}`, 3, shape.length);
    if (heads % kvHeads !== 0) refuse(node, "kvHeads", `a divisor of ${heads}`, kvHeads);
    const depth = headDepth(q, heads);
    if (depth === undefined) refuse(node, "last axis of q", `a multiple of ${heads}`, q[2]);
    for (const [i, shape] of [k, v].entries())
      if (shape[0] !== q[0] || shape[1] !== k[1] || shape[2] !== depth! * kvHeads)
        refuse(node, `shape of input ${i + 1}`, [q[0], k[1], depth! * kvHeads], shape);
    const mask = inputs[3];
    if (mask) checkMask(node, mask.shape, mask.dtype === "f32", [q[0]!, heads, q[1]!, k[1]!]);
    return [{ dtypes: ["f32"], shape: q }];
  },
  lower(node, context) {
    const [q = "", k = "", v = "", mask = ""] = node.inputs;
    const [output = ""] = node.outputs;
    const { heads, kvHeads, scale, causal } = node.attributes;
    const kind = mask === "" ? "none" : (context.info(mask).dtype as "int32" | "int64" | "f32");
    return operationOf(node, context, "attention", {
      // Both products.
      macs: (of) => 2 * sizeOf(of(q)) * of(k)[1]!,
      bind(binding) {
        const { instance, pointer, shape } = binding;
        const [batch, queries, width] = shape(q) as [number, number, number];
        const keys = shape(k)[1]!;
        const depth = width / heads;
        const strides = kind === "f32" ? maskStrides(shape(mask)) : undefined;
        const sizes = { batch, queries, keys, heads, kvHeads, depth, scale, causal, mask: kind, strides } as const;
        const object = binding.own(new Attention(instance, sizes));
        const [qs, ks, vs, to] = [pointer(q), pointer(k), pointer(v), pointer(output)];
        const [seen, length] = mask === "" ? [0, 0] : [pointer(mask), sizeOf(shape(mask))];
        return () => object.run(qs, ks, vs, seen, length, to);
      },
    });
  },
};

const headDepth = ([, , width]: readonly Dim[], heads: number): number | undefined =>
  typeof width === "number" && width % heads === 0 ? width / heads : undefined;

function checkMask(node: NodeOf<"attention">, mask: readonly Dim[], added: boolean, sizes: readonly Dim[]): void {
  const wanted = added ? sizes : [sizes[0], sizes[3]];
  const fits = (size: Dim, axis: number) => size === wanted[axis] || (added && axis < 3 && size === 1);
  if (mask.length !== wanted.length || !mask.every(fits)) refuse(node, "shape of the mask", wanted, mask);
}

/** Elements from one batch, head and query to the next; 0 along axes that are repeated. */
function maskStrides(shape: readonly number[]): [number, number, number] {
  const [batch = 1, heads = 1, queries = 1, keys = 1] = shape;
  const along = (size: number, stride: number) => (size === 1 ? 0 : stride);
  return [along(batch, heads * queries * keys), along(heads, queries * keys), along(queries, keys)];
}

/** In f64. */
export function reference({ attributes }: NodeOf<"attention">, inputs: readonly (Value | undefined)[]): Value[] {
  const [q, k, v, mask] = inputs as [Value, Value, Value, Value | undefined];
  const { heads, kvHeads, scale, causal } = attributes;
  const [, queries = 0, width = 0] = q.shape;
  const keys = k.shape[1]!;
  const depth = width / heads;
  const strides = mask?.dtype === "f32" ? maskStrides(mask.shape) : [0, 0, 0];
  const seen = (b: number, h: number, s: number, t: number): number => {
    if (causal && t > s + keys - queries) return Number.NEGATIVE_INFINITY;
    if (!mask) return 0;
    if (mask.dtype !== "f32") return mask.data[b * keys + t] === 0 ? Number.NEGATIVE_INFINITY : 0;
    return mask.data[b * strides[0]! + h * strides[1]! + s * strides[2]! + t]!;
  };
  const weights = (b: number, h: number, s: number): number[] => {
    const from = (b * queries + s) * width + h * depth;
    const scores = Array.from({ length: keys }, (_, t) => {
      const to = (b * keys + t) * kvHeads * depth + Math.floor(h / (heads / kvHeads)) * depth;
      let dot = 0;
      for (let i = 0; i < depth; i++) dot += q.data[from + i]! * k.data[to + i]!;
      return dot * scale + seen(b, h, s, t);
    });
    const peak = Math.max(...scores);
    if (peak === Number.NEGATIVE_INFINITY) return scores.map(() => 0);
    const exps = scores.map((score) => Math.exp(score - peak));
    const total = exps.reduce((sum, e) => sum + e, 0);
    return exps.map((e) => e / total);
  };
  const rows = new Map<string, number[]>();
  return [
    build("f32", q.shape, ([b = 0, s = 0, c = 0]) => {
      const h = Math.floor(c / depth);
      const key = `${b} ${h} ${s}`;
      const row = rows.get(key) ?? weights(b, h, s);
      rows.set(key, row);
      const column = Math.floor(h / (heads / kvHeads)) * depth + (c % depth);
      return row.reduce((sum, w, t) => sum + w * v.data[(b * keys + t) * kvHeads * depth + column]!, 0);
    }),
  ];
}
