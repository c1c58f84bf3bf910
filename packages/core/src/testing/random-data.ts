/** Seeded numbers, weights and tensors for tests. */
import { matrixSize } from "../graph/constants.ts";
import type { Decoding, QuantizedConstant } from "../graph/types.ts";
import { Random } from "../quantize/random.ts";
import { sizeOf } from "../tensor.ts";

export interface WeightOptions {
  readonly shape: readonly number[];
  readonly kind: Decoding["kind"];
  readonly bits?: number;
  /** Scales: one for the tensor, one per channel, or one per group of this many weights. */
  readonly scales?: "tensor" | "channel" | number;
  /** For affine codes; absent: the middle of the codes. */
  readonly zeroPoint?: number | "scales";
  /** For product: weights of a sub-vector. */
  readonly dimension?: number;
  /** Codes stay below this. */
  readonly levels?: number;
}

/** Codebooks of an additive decoding. */
const SUMMANDS = 2;

export class RandomData extends Random {
  /** An integer of low..high. */
  between(low: number, high: number): number {
    return low + this.below(high - low + 1);
  }

  pick<T>(choices: readonly T[]): T {
    return choices[this.below(choices.length)]!;
  }

  /** f32 in [-1, 1), about one in sixteen exactly 0. */
  floats(length: number, scale = 1): Float32Array<ArrayBuffer> {
    return Float32Array.from({ length }, () => (this.below(16) === 0 ? 0 : (this.uniform() * 2 - 1) * scale));
  }

  positive(length: number): Float32Array<ArrayBuffer> {
    return Float32Array.from({ length }, () => 0.05 + this.uniform());
  }

  integers(length: number, low: number, high: number): Int32Array<ArrayBuffer> {
    return Int32Array.from({ length }, () => this.between(low, high));
  }

  bytes(length: number): Uint8Array<ArrayBuffer> {
    return Uint8Array.from({ length }, () => this.below(256));
  }

  /** Codes of [n, perRow], packed as QuantizedConstant wants them. */
  codes(n: number, perRow: number, bits: number, levels = 2 ** bits): Uint8Array<ArrayBuffer> {
    const rowBytes = Math.ceil((perRow * bits) / 8);
    const codes = new Uint8Array(n * rowBytes);
    for (let row = 0; row < n; row++)
      for (let i = 0; i < perRow * bits; i += bits) {
        const code = this.below(levels);
        const at = row * rowBytes + (i >> 3);
        codes[at]! |= code << (i & 7);
        if ((i & 7) + bits > 8) codes[at + 1]! |= code >> (8 - (i & 7));
      }
    return codes;
  }

  /** Codes of a constant's size: one in `every` is drawn, low ones more often, and the others are 1. */
  skewedCodes({ bits, ...rest }: QuantizedConstant, every: number): Uint8Array<ArrayBuffer> {
    const { n, codesPerRow, rowBytes } = matrixSize({ bits, ...rest });
    const codes = new Uint8Array(n * rowBytes);
    for (let row = 0; row < n; row++)
      for (let i = 0; i < codesPerRow * bits; i += bits) {
        const draw = () => this.below(2 ** bits);
        const code = this.below(every) === 0 ? Math.min(draw(), draw(), draw()) : 1;
        codes[row * rowBytes + (i >> 3)]! |= code << (i & 7);
        if ((i & 7) + bits > 8) codes[row * rowBytes + (i >> 3) + 1]! |= code >> (8 - (i & 7));
      }
    return codes;
  }

  weight({
    shape,
    kind,
    bits = 1,
    scales = "channel",
    zeroPoint,
    dimension = 1,
    levels,
  }: WeightOptions): QuantizedConstant {
    const [n = 1] = shape;
    const k = sizeOf(shape.slice(1));
    const groupSize = typeof scales === "number" ? scales : k;
    const scaleShape = [scales === "tensor" ? 1 : n, Math.ceil(k / groupSize)] as const;
    const entries = scaleShape[0] * scaleShape[1];
    return {
      kind: "quantized",
      scheme: `test:${kind}${bits}`,
      shape,
      bits,
      codes: this.codes(
        n,
        kind === "hashed" ? 0 : (k / dimension) * (kind === "additive" ? SUMMANDS : 1),
        bits,
        levels,
      ),
      decoding: this.#decoding(kind, bits, dimension, levels ?? 2 ** bits, zeroPoint, entries),
      scale: this.positive(entries),
      scaleShape,
      groupSize,
    };
  }

  #decoding(
    kind: Decoding["kind"],
    bits: number,
    dimension: number,
    levels: number,
    zeroPoint: number | "scales" | undefined,
    entries: number,
  ): Decoding {
    switch (kind) {
      case "sign":
        return { kind };
      case "affine":
        if (zeroPoint === "scales") return { kind, zeroPoint: this.integers(entries, 0, 2 ** bits - 1) };
        return { kind, zeroPoint: zeroPoint ?? 2 ** (bits - 1) };
      case "table":
        return { kind, codebook: this.floats(levels) };
      case "product":
        return { kind, codebook: this.floats(levels * dimension), dimension };
      case "offset":
        return { kind, offset: this.floats(entries) };
      case "bases":
        return { kind, coefficients: this.positive(entries * bits) };
      case "additive":
        return { kind, codebook: this.floats(SUMMANDS * levels * dimension), dimension, count: SUMMANDS };
      case "hashed":
        return { kind, values: this.floats(levels), seed: 7 };
    }
  }
}
