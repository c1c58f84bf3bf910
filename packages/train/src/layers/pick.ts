import { nn, np } from "../autograd.ts";
import { missingToFours } from "./fours.ts";

/**
 * Rows of a table [V, ...] by whole numbers [...]: table[numbers]. As a product by one-hot rows, which is exact; the engine's own `take` has a gradient (a scatter) that it cannot compile
 * into a step. Takes both.
 */
export function pick(table: np.Array, numbers: np.Array): np.Array {
  const [rows, ...row] = table.shape as [number, ...number[]];
  const shape = [...numbers.shape, ...row];
  const width = row.reduce((product, size) => product * size, 1);
  const rest = missingToFours(rows);
  const oneHot = nn.oneHot(numbers.reshape([-1]).astype(np.int32), rows + rest).astype(np.float32);
  return np.matmul(oneHot, np.pad(table.reshape([rows, width]), { 0: [0, rest] })).reshape(shape);
}
