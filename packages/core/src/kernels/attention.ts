/** Scaled dot-product attention and rotation of positions; see crates/kernels/src/attention. */
import type { KernelInstance } from "./instance.ts";
import { KernelObject, Parameters } from "./kernel-object.ts";

/** `int32` and `int64`: keys that are seen where it is not 0, [batch, keys]; `f32`: added to the scaled dots. */
export type AttentionMask = "none" | "int32" | "int64" | "f32";

const masks: Record<AttentionMask, number> = { none: 0, int32: 1, int64: 2, f32: 3 };

export interface AttentionOptions {
  readonly batch: number;
  /** Positions of q. */
  readonly queries: number;
  /** Positions of k and v. */
  readonly keys: number;
  readonly heads: number;
  /** Of k and v; divides `heads`. */
  readonly kvHeads: number;
  /** Elements of a head. */
  readonly depth: number;
  /** Of the dots. */
  readonly scale: number;
  /** Query s sees the keys 0 to s + keys - queries only. */
  readonly causal: boolean;
  readonly mask: AttentionMask;
  /** Elements from one batch, head and query of an f32 mask to the next; 0 repeats. */
  readonly strides?: readonly [batch: number, head: number, query: number] | undefined;
}

/** y = softmax(q kᵀ * scale + mask) v for each head; a query that sees no key gives zeros. */
export class Attention extends KernelObject {
  /** @throws OutOfRangeError where a size is 0, ShapeError where the heads do not divide */
  constructor(instance: KernelInstance, options: AttentionOptions) {
    const { batch, queries, keys, heads, kvHeads, depth, scale, causal, mask, strides = [0, 0, 0] } = options;
    const parameters = new Parameters(instance)
      .i32(batch, queries, keys, heads, kvHeads, depth)
      .f32(scale)
      .i32(causal ? 1 : 0, masks[mask], ...strides);
    super(instance, parameters.call(instance.exports.attention_new));
  }

  /**
   * @param q f32 [batch, queries, heads * depth]
   * @param k f32 [batch, keys, kvHeads * depth]
   * @param v as k
   * @param mask of `maskLength` elements; both 0 where there is none
   * @param y as q
   */
  run(q: number, k: number, v: number, mask: number, maskLength: number, y: number): void {
    this.instance.check(this.instance.exports.attention_run(this.handle, q, k, v, mask, maskLength, y));
  }
}

/** Of each head the pairs (i, i + depth / 2) of position s turned by s * theta^(-2 i / depth). */
export class Rotary extends KernelObject {
  /** @param limit positions that the tables hold @param depth elements of a head, even */
  constructor(instance: KernelInstance, limit: number, depth: number, theta: number) {
    super(instance, instance.check(instance.exports.rotary_new(limit, depth, theta)));
  }

  /** @param x f32 [batch, positions, heads * depth] @param y as x; may be x */
  run(x: number, y: number, batch: number, positions: number, heads: number): void {
    this.instance.check(this.instance.exports.rotary_run(this.handle, x, y, batch, positions, heads));
  }
}
