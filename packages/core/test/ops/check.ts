/** One node of `lowbit/ops` on every tier against its reference. */
import { availableTiers, createModel, type Dim, type OpsAttributes, type OpsOp, type Tensor } from "lowbit";
import { registerAllOps } from "lowbit/ops";
import { expect } from "vitest";
import { GraphBuilder } from "../../src/testing/builder.ts";
import { runReference } from "../../src/testing/reference.ts";

registerAllOps();

/** An input of the node: fed in a run, with a symbol for each axis where `symbolic` says so, or a constant. */
export interface Given {
  readonly tensor: Tensor;
  readonly as?: "input" | "symbolic" | "constant";
}

const numbersOf = ({ data }: Tensor): number[] => Array.from(data as ArrayLike<number | bigint>, (v) => Number(v) + 0);

/**
 * Runs the node on every tier, and its reference. Types, shapes and, but for `tolerance` (relative to the largest, for functions of libm), every number must be equal; the
 * tiers owe each other the same bits.
 */
export async function checkNode<K extends OpsOp>(
  op: K,
  given: readonly (Given | undefined)[],
  attributes: OpsAttributes[K],
  { outputs = 1, tolerance = 0 }: { readonly outputs?: number; readonly tolerance?: number } = {},
): Promise<void> {
  const builder = new GraphBuilder();
  const feed: Record<string, Tensor> = {};
  const names = given.map((one, i) => {
    if (!one) return "";
    const { tensor, as = "input" } = one;
    if (as === "constant") return builder.plain(tensor.dtype, tensor.shape, tensor.data);
    feed[`x${i}`] = tensor;
    const shape = tensor.shape.map((size, axis): Dim => (as === "symbolic" ? `x${i}.${axis}` : size));
    return builder.input(`x${i}`, tensor.dtype, shape);
  });
  const graph = builder.build(...builder.ops(op, names, attributes, outputs));
  const wanted = runReference(graph, feed);
  let first: Record<string, Tensor> | undefined;
  for (const tier of availableTiers()) {
    const model = await createModel(graph, { tier });
    const got = await model.run(feed);
    model.dispose();
    first ??= got;
    for (const [name, expected] of Object.entries(wanted)) {
      const actual = got[name]!;
      expect(actual.dtype).toBe(expected.dtype);
      expect(actual.shape).toEqual(expected.shape);
      if (tolerance === 0) expect(numbersOf(actual)).toEqual(numbersOf(expected));
      else {
        const [a, b] = [numbersOf(actual), numbersOf(expected)];
        const largest = Math.max(1, ...b.filter(Number.isFinite).map(Math.abs));
        for (const [i, value] of b.entries())
          if (Number.isFinite(value)) expect(Math.abs(a[i]! - value)).toBeLessThanOrEqual(tolerance * largest);
          else expect(a[i]).toBe(value);
      }
      expect(actual.data).toEqual(first[name]!.data);
    }
  }
}
