import { nn, np } from "../autograd.ts";

/**
 * Rows of a table [V, ...] by whole numbers [...]: table[numbers]. As a product by one-hot rows, which is exact; the engine's own `take` has a gradient (a scatter) that it cannot compile
 * into a step. Takes both.
 */
export function pick(table: np.Array, numbers: np.Array): np.Array {
  const [rows, ...rest] = table.shape as [number, ...number[]];
  const shape = [...numbers.shape, ...rest];
  const width = rest.reduce((product, size) => product * size, 1);
  const oneHot = nn.oneHot(numbers.reshape([-1]).astype(np.int32), rows).astype(np.float32);
  return np.matmul(oneHot, table.reshape([rows, width])).reshape(shape);
}
