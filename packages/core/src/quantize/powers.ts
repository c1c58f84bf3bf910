/** Powers of two without `Math.log2` or `Math.pow`, whose last bit differs between engines. */

const view = new DataView(new ArrayBuffer(8));

/** floor(log2 x) for finite x > 0 that is a normal double (every f32 is, denormals included). */
export function floorLog2(x: number): number {
  view.setFloat64(0, x);
  return ((view.getUint32(0) >>> 20) & 0x7ff) - 1023;
}

/** 2^exponent exactly, exponent from -1022 to 1023. */
export function powerOfTwo(exponent: number): number {
  view.setUint32(0, (exponent + 1023) << 20);
  view.setUint32(4, 0);
  return view.getFloat64(0);
}

/** The next f32 towards zero from x > 0. */
export function previousFloat(x: number): number {
  view.setFloat32(0, x);
  view.setUint32(0, view.getUint32(0) - 1);
  return view.getFloat32(0);
}

/** The largest f32 that is not above x > 0, so that f32 numbers compare with it as with x. */
export function floatBelow(x: number): number {
  const rounded = Math.fround(x);
  return rounded > x ? previousFloat(rounded) : rounded;
}

/** The least positive f32, 2^-149. */
export const LEAST_FLOAT = powerOfTwo(-149);

/** The largest finite f32. */
export const MOST_FLOAT = (2 - powerOfTwo(-23)) * powerOfTwo(127);

/** The next f32 away from zero from x >= 0. */
export function nextFloat(x: number): number {
  view.setFloat32(0, x);
  view.setUint32(0, view.getUint32(0) + 1);
  return view.getFloat32(0);
}

/** The least f32 (or infinity) that is not below the real x, so that an f32 number is >= it exactly where it is >= x. */
export function floatAbove(x: number): number {
  if (x < 0) return -floatBelow(-x);
  const rounded = Math.fround(x);
  return rounded >= x ? rounded : nextFloat(rounded);
}

/**
 * log10 x for x > 0, the same double in every engine: log2 x = e + 2 atanh((m - 1) / (m + 1)) / ln 2 with the mantissa m in [sqrt 1/2, sqrt 2),
 * the series of atanh summed smallest term first. Within 4e-16 relative of the true value away from x = 1.
 */
export function log10(x: number): number {
  if (x === 0) return Number.NEGATIVE_INFINITY;
  if (x === Number.POSITIVE_INFINITY) return x;
  let exponent = 0;
  if (x < 2.2250738585072014e-308) {
    x *= 18014398509481984; // 2^54 makes a denormal normal
    exponent = -54;
  }
  const e = floorLog2(x);
  let mantissa = x / powerOfTwo(e);
  exponent += e;
  if (mantissa > Math.SQRT2) {
    mantissa /= 2;
    exponent += 1;
  }
  return exponent * 0.3010299956639812 + 2 * atanhSeries((mantissa - 1) / (mantissa + 1)) * Math.LOG10E;
}

/** atanh t = t + t³/3 + t⁵/5 ... for |t| <= 0.18, the smallest term first. */
function atanhSeries(t: number): number {
  const square = t * t;
  let series = 0;
  for (let term = 25; term >= 1; term -= 2) series = series * square + 1 / term;
  return t * series;
}

/** atanh t for |t| < 1, the same double in every engine. */
export function atanh(t: number): number {
  return Math.abs(t) <= 0.17 ? atanhSeries(t) : ln((1 + t) / (1 - t)) / 2;
}

/** e^x - 1 for |x| <= 700, the same double in every engine: x = n ln 2 + r with |r| <= ln 2 / 2, the series of e^r, the smallest term first. */
export function expm1(x: number): number {
  const n = Math.round(x / Math.LN2);
  // ln 2 in two parts: n times the upper one is exact.
  const r = x - n * 0.6931471803691238 - n * 1.9082149292705877e-10;
  let series = 0;
  for (let term = 18; term >= 1; term--) series = ((1 + series) * r) / term;
  return n === 0 ? series : (1 + series) * powerOfTwo(n) - 1;
}

/** tanh x, the same double in every engine. */
export function tanh(x: number): number {
  if (Math.abs(x) > 20) return Math.sign(x);
  const e = expm1(2 * x);
  return e / (e + 2);
}

/**
 * e^x, the same double in every engine: 2^k e^r with k = round(x / ln 2) and |r| <= ln 2 / 2, the series of e^r to r^15, its last term first. Within 4e-16 relative of the true
 * value; 0 below -708, Infinity above 709.
 */
export function exp(x: number): number {
  if (x < -708) return 0;
  if (x > 709) return Number.POSITIVE_INFINITY;
  const k = Math.round(x * Math.LOG2E);
  // ln 2 in two parts, of which the first has so few bits that its product with k is exact.
  const r = x - k * 0.6931471803691238 - k * 1.9082149292705877e-10;
  let series = 1;
  for (let term = 15; term >= 1; term--) series = 1 + (series * r) / term;
  return series * powerOfTwo(k);
}

/** ln x for x > 0, by {@link log10}. */
export const ln = (x: number): number => log10(x) * Math.LN10;
