/** How many of the true nearest an index finds. */
import { ShapeError } from "lowbit";
import type { Vectors } from "./prepare.ts";
import type { Index, SearchOptions } from "./search-index.ts";

/** Numbers of the true nearest, [queries, at least k], best first. */
export interface Truth {
  readonly shape: readonly number[];
  readonly data: ArrayLike<number>;
}

/**
 * The mean over queries of the part of the k true nearest that is among the k found.
 *
 * @param truth what an index of `Flat` finds
 * @throws ShapeError, and as {@link Index.searchAll}
 */
export function recall(
  index: Index,
  queries: Vectors,
  truth: Truth,
  { k = 10, ...options }: SearchOptions & { readonly k?: number } = {},
): number {
  const [n = 0, width = 0] = truth.shape;
  if (truth.shape.length !== 2 || n !== queries.shape[0] || width < k || truth.data.length !== n * width)
    throw new ShapeError("recall", "truth", `[${queries.shape[0]}, ${k} or more]`, `[${truth.shape}]`);
  const { numbers } = index.searchAll(queries, k, options);
  let found = 0;
  for (let i = 0; i < n; i++) {
    const nearest = new Set<number>();
    for (let j = 0; j < k; j++) nearest.add(truth.data[i * width + j]!);
    for (let j = 0; j < k; j++) if (nearest.has(numbers[i * k + j]!)) found++;
  }
  return found / (n * k);
}
