/** The floats that codes stand for. */
import { codeAt, matrixSize } from "./constants.ts";
import type { QuantizedConstant } from "./types.ts";

/**
 * All weights, row-major in the logical shape, each fround(level * scale).
 * Plain TypeScript: for small tensors, exports and tests; kernels decode the rest.
 */
export function decodeWeights(constant: QuantizedConstant): Float32Array {
  const { bits, codes, decoding, scale } = constant;
  const { n, k, rowBytes } = matrixSize(constant);
  const groupSize = constant.groupSize ?? k;
  const groups = Math.ceil(k / groupSize);
  const perRow = (constant.scaleShape?.[0] ?? n) > 1 || (n === 1 && scale !== undefined);
  const entry = (row: number, group: number): number => (perRow ? row * groups + group : group);
  const level = levelOf(constant);
  const weights = new Float32Array(n * k);
  for (let row = 0; row < n; row++)
    for (let i = 0; i < k; i++) {
      const at = entry(row, Math.floor(i / groupSize));
      const code = codeAt(
        codes,
        row * rowBytes,
        decoding.kind === "product" ? Math.floor(i / decoding.dimension) : i,
        bits,
      );
      weights[row * k + i] = level(code, i, at) * (scale ? scale[at]! : 1);
    }
  return weights;
}

/** The level of a code at position `i` of its row, whose scale (and zero point) is entry `at`. */
function levelOf({ decoding }: QuantizedConstant): (code: number, i: number, at: number) => number {
  switch (decoding.kind) {
    case "sign":
      return (code) => (code ? -1 : 1);
    case "affine": {
      const { zeroPoint } = decoding;
      return typeof zeroPoint === "number" ? (code) => code - zeroPoint : (code, _, at) => code - zeroPoint[at]!;
    }
    case "table":
      return (code) => decoding.codebook[code]!;
    case "product": {
      const { codebook, dimension } = decoding;
      return (code, i) => codebook[code * dimension + (i % dimension)]!;
    }
  }
}
