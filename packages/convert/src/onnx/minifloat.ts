/**
 * Float formats narrower than 32 bits as ONNX stores them, widened to f32 without rounding (each of their values is an
 * f32). Layout: sign, exponent, mantissa. `special` says what the all-ones exponent means.
 */
interface Minifloat {
  readonly exponentBits: number;
  readonly mantissaBits: number;
  readonly bias: number;
  /**
   * - `ieee`: all-ones exponent is infinity or NaN;
   * - `fn`: only the all-ones pattern (exponent and mantissa) is NaN, no infinity;
   * - `fnuz`: the pattern of negative zero is NaN, no infinity;
   * - `finite`: every pattern is a number.
   */
  readonly special: "ieee" | "fn" | "fnuz" | "finite";
}

export const MINIFLOATS = {
  float16: { exponentBits: 5, mantissaBits: 10, bias: 15, special: "ieee" },
  bfloat16: { exponentBits: 8, mantissaBits: 7, bias: 127, special: "ieee" },
  float8e4m3fn: { exponentBits: 4, mantissaBits: 3, bias: 7, special: "fn" },
  float8e4m3fnuz: { exponentBits: 4, mantissaBits: 3, bias: 8, special: "fnuz" },
  float8e5m2: { exponentBits: 5, mantissaBits: 2, bias: 15, special: "ieee" },
  float8e5m2fnuz: { exponentBits: 5, mantissaBits: 2, bias: 16, special: "fnuz" },
  float4e2m1: { exponentBits: 2, mantissaBits: 1, bias: 1, special: "finite" },
} as const satisfies Record<string, Minifloat>;

/** 2^exponent, exactly, for -149 <= exponent <= 127. */
export function powerOfTwo(exponent: number): number {
  let value = 1;
  const factor = exponent < 0 ? 0.5 : 2;
  for (let i = Math.abs(exponent); i > 0; i--) value *= factor;
  return value;
}

/** Widens bit patterns (`bits` holds one element each) to f32. */
export function widen(bits: ArrayLike<number>, format: keyof typeof MINIFLOATS): Float32Array {
  const decode = decoder(MINIFLOATS[format]);
  const width = 1 + MINIFLOATS[format].exponentBits + MINIFLOATS[format].mantissaBits;
  const out = new Float32Array(bits.length);
  // One table lookup per element where the table is smaller than the tensor is likely to be.
  if (width <= 8) {
    const table = Float32Array.from({ length: 1 << width }, (_, pattern) => decode(pattern));
    for (let i = 0; i < out.length; i++) out[i] = table[bits[i]! & (table.length - 1)]!;
  } else {
    for (let i = 0; i < out.length; i++) out[i] = decode(bits[i]!);
  }
  return out;
}

function decoder({ exponentBits, mantissaBits, bias, special }: Minifloat): (pattern: number) => number {
  const largestExponent = (1 << exponentBits) - 1;
  const steps = 1 << mantissaBits;
  const scales = Float64Array.from({ length: largestExponent + 1 }, (_, exponent) =>
    powerOfTwo(Math.max(exponent, 1) - bias - mantissaBits),
  );
  return (pattern) => {
    const sign = (pattern >> (exponentBits + mantissaBits)) & 1 ? -1 : 1;
    const exponent = (pattern >> mantissaBits) & largestExponent;
    const mantissa = pattern & (steps - 1);
    if (special === "ieee" && exponent === largestExponent)
      return mantissa ? Number.NaN : sign * Number.POSITIVE_INFINITY;
    if (special === "fn" && exponent === largestExponent && mantissa === steps - 1) return Number.NaN;
    if (special === "fnuz" && sign < 0 && exponent === 0 && mantissa === 0) return Number.NaN;
    return sign * (exponent === 0 ? mantissa : steps + mantissa) * scales[exponent]!;
  };
}
