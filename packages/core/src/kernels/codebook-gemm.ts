/** f32 activations by coded weights that stay packed; see crates/kernels/src/codebook_gemm. */
import type { Clamp, Decoding } from "../graph/types.ts";
import type { KernelInstance } from "./instance.ts";
import { KernelObject, macCost, Parameters } from "./kernel-object.ts";
import { unclamped } from "./output.ts";

/** The rows of a coded weight seen as [n, k]; the fields are those of QuantizedConstant. */
export interface CodedWeights {
  readonly n: number;
  readonly k: number;
  /** Per code, 1..8. */
  readonly bits: number;
  readonly codes: Uint8Array;
  readonly decoding: Decoding;
  /** [n or 1, groups]; absent: 1. */
  readonly scale?: Float32Array | undefined;
  readonly scaleShape?: readonly [number, number] | undefined;
  /** Weights of a row that share a scale; absent: k. */
  readonly groupSize?: number | undefined;
  /** Position of the first weight in its tensor, of which hashed weights are a function; absent: 0. */
  readonly firstWeight?: number | undefined;
}

export interface CodebookGemmOptions extends CodedWeights {
  /** [n]; absent: zeros. */
  readonly bias?: Float32Array | undefined;
  readonly clamp?: Clamp | undefined;
}

const decodings = { sign: 0, affine: 1, table: 2, product: 3, offset: 4, bases: 5, additive: 6, hashed: 7 } as const;

/**
 * y[rows, n] = clamp(x[rows, k] · w[n, k]ᵀ + bias[n]) with w the decoded codes.
 *
 * The result has the bits of GemmF32 on the decoded weights, but for product decodings of no more centroids than columns: those sum, over ascending
 * sub-vectors, a table of partial dots; the Rust documentation gives that order.
 */
export class CodebookGemm extends KernelObject {
  constructor(instance: KernelInstance, options: CodebookGemmOptions) {
    const { bias, clamp = unclamped } = options;
    const parameters = writeCodedWeights(new Parameters(instance), options).array(bias);
    const handle = parameters.f32(...clamp).call(instance.exports.codebook_gemm_new);
    super(instance, handle, macCost.floats * options.n * options.k);
  }

  /** @param x f32 [rows, k] @param y f32 [rows, n] */
  run(x: number, rows: number, y: number): void {
    this.call(this.instance.exports.codebook_gemm_run, x, y, rows);
  }
}

/** n, k, bits, codes, decoding with its array and dimension (and `count`, or seed and position), scales with their shape, group size. */
export function writeCodedWeights(parameters: Parameters, weights: CodedWeights): Parameters {
  const { n, k, bits, codes, decoding, scale, scaleShape = [1, 1], groupSize = k } = weights;
  parameters.i32(n, k, bits).array(codes).i32(decodings[decoding.kind]);
  switch (decoding.kind) {
    case "sign":
      parameters.array(undefined).i32(1);
      break;
    case "affine": {
      const { zeroPoint } = decoding;
      parameters.array(typeof zeroPoint === "number" ? Int32Array.of(zeroPoint) : zeroPoint).i32(1);
      break;
    }
    case "table":
      parameters.array(decoding.codebook).i32(1);
      break;
    case "product":
      parameters.array(decoding.codebook).i32(decoding.dimension);
      break;
    case "offset":
      parameters.array(decoding.offset).i32(1);
      break;
    case "bases":
      parameters.array(decoding.coefficients).i32(1);
      break;
    case "additive":
      parameters.array(decoding.codebook).i32(decoding.dimension, decoding.count);
      break;
    case "hashed":
      parameters.array(decoding.values).i32(1, decoding.seed, weights.firstWeight ?? 0);
  }
  return parameters.array(scale).i32(...scaleShape, groupSize);
}
