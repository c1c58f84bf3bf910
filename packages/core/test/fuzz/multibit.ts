/** Planes of signs by planes of signs, with coefficients of their own. */
import { type MultibitCase, naiveMultibit, runMultibit } from "../kernels/multibit-gemm.suite.ts";
import type { Fuzzer } from "./problem.ts";

export const multibitGemm: Fuzzer = (draw) => {
  const [rows, n, k] = [draw.size(20), draw.size(50), draw.size(300)];
  const [weightPlanes, planes] = [draw.integer(1, 8), draw.integer(1, 8)];
  const signs = (count: number) => draw.integers(count, 0, 1).map((bit) => 1 - 2 * bit);
  const problem: MultibitCase = {
    ...{ n, k, clamp: draw.clamp() },
    w: Array.from({ length: weightPlanes }, () => signs(n * k)),
    x: Array.from({ length: planes }, () => signs(rows * k)),
    ...{ alpha: draw.floats(weightPlanes * n), beta: draw.floats(rows * (planes + 1)), bias: draw.floats(n) },
  };
  const counting = draw.pick("lookup", "popcount");
  return {
    text: `${rows} x ${k} x ${n}, ${weightPlanes} by ${planes} planes, ${counting}`,
    run: (kernels) => runMultibit(kernels, problem, { counting }),
    expected: () => naiveMultibit(problem),
  };
};
