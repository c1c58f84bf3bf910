/** The floats that codes stand for. */
import { codeAt, matrixSize } from "./constants.ts";
import type { Decoding, QuantizedConstant } from "./types.ts";

/**
 * All weights, row-major in the logical shape, each as `Decoding` says.
 * Plain TypeScript: for small tensors, exports and tests; kernels decode the rest.
 */
export function decodeWeights(constant: QuantizedConstant): Float32Array {
  const { bits, codes, decoding, scale } = constant;
  const { n, k, rowBytes } = matrixSize(constant);
  const groupSize = constant.groupSize ?? k;
  const groups = Math.ceil(k / groupSize);
  const perRow = (constant.scaleShape?.[0] ?? n) > 1 || (n === 1 && scale !== undefined);
  const entry = (row: number, group: number): number => (perRow ? row * groups + group : group);
  const weight = weightOf(decoding, bits);
  const weights = new Float32Array(n * k);
  for (let row = 0; row < n; row++)
    for (let i = 0; i < k; i++) {
      const at = entry(row, Math.floor(i / groupSize));
      const code = (index: number) => codeAt(codes, row * rowBytes, index, bits);
      weights[row * k + i] = weight({ code, row, i, k, at, scale: scale ? scale[at]! : 1 });
    }
  return weights;
}

/** Where a weight stands: position `i` of `k` in its row, scale (zero point, offset ...) entry `at`; `code` reads codes of the row. */
interface Place {
  readonly code: (index: number) => number;
  readonly row: number;
  readonly i: number;
  readonly k: number;
  readonly at: number;
  readonly scale: number;
}

function weightOf(decoding: Decoding, bits: number): (place: Place) => number {
  const { fround } = Math;
  switch (decoding.kind) {
    case "sign":
      return ({ code, i, scale }) => (code(i) ? -scale : scale);
    case "affine": {
      const { zeroPoint } = decoding;
      return typeof zeroPoint === "number"
        ? ({ code, i, scale }) => (code(i) - zeroPoint) * scale
        : ({ code, i, at, scale }) => (code(i) - zeroPoint[at]!) * scale;
    }
    case "offset":
      return ({ code, i, at, scale }) => fround(code(i) * scale) + decoding.offset[at]!;
    case "bases":
      return ({ code, i, at, scale }) => {
        let sum = 0;
        for (let base = 0; base < bits; base++) {
          const part = fround(decoding.coefficients[at * bits + base]! * scale);
          sum = fround(sum + ((code(i) >> base) & 1 ? -part : part));
        }
        return sum;
      };
    case "table":
      return ({ code, i, scale }) => decoding.codebook[code(i)]! * scale;
    case "product": {
      const { codebook, dimension } = decoding;
      return ({ code, i, scale }) => codebook[code(Math.floor(i / dimension)) * dimension + (i % dimension)]! * scale;
    }
    case "additive": {
      const { codebook, dimension, count } = decoding;
      const size = codebook.length / count;
      return ({ code, i, scale }) => {
        let sum = 0;
        for (let m = 0; m < count; m++) {
          const entry = code(Math.floor(i / dimension) * count + m) * dimension + (i % dimension);
          sum = fround(sum + codebook[m * size + entry]!);
        }
        return sum * scale;
      };
    }
    case "hashed": {
      const { values, seed } = decoding;
      return ({ row, i, k, scale }) => {
        const word = hashWord(seed, row * k + i);
        const value = values[hashIndex(word, values.length)]!;
        return (word & 1 ? -value : value) * scale;
      };
    }
  }
}

/** 32 bits from a seed and a position: the finalizer of MurmurHash3 over seed + 0x9e3779b9 * (position + 1). */
export function hashWord(seed: number, position: number): number {
  let h = (seed + Math.imul(0x9e3779b9, position + 1)) >>> 0;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}

/** The upper 31 bits of a {@link hashWord} spread over 0..length-1 (length below 2^22); the lowest bit is the sign. */
export const hashIndex = (word: number, length: number): number => Math.floor(((word >>> 1) * length) / 2147483648);
