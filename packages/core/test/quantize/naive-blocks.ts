/** GGUF's blocks in plain TypeScript, written from the C source a second time: the oracle of the kernels where there is no golden file. */
import { type BlockCodes, blockLayouts, type QuantizerBlock } from "../../src/quantize/blocks/layout.ts";
import { roundTiesEven } from "./naive-rounding.ts";

const { fround, abs } = Math;

/** The nearest number of f16, ties to even. */
export function toHalf(x: number): number {
  const magnitude = abs(x);
  if (magnitude === 0) return x;
  if (magnitude >= 65520) return x > 0 ? Number.POSITIVE_INFINITY : Number.NEGATIVE_INFINITY;
  const step = 2 ** (Math.max(-14, Math.floor(Math.log2(magnitude))) - 10);
  const half = roundTiesEven(magnitude / step) * step;
  return x > 0 ? half : -half;
}

const halfAway = (x: number): number => (x < 0 ? -Math.floor(0.5 - x) : Math.floor(x + 0.5));
const clamp = (x: number, min: number, max: number): number => Math.max(min, Math.min(max, x));

/** As `BlockCodes`, of one block. */
interface Block {
  codes: number[];
  scale: number[];
  offset: number[];
}

function simple(type: Exclude<QuantizerBlock, "q4_k">, x: number[]): Block {
  const largest = x.reduce((max, w) => (abs(max) < abs(w) ? w : max), 0);
  const d = fround({ q4_0: largest / -8, q8_0: abs(largest) / 127, tq1_0: abs(largest), tq2_0: abs(largest) }[type]);
  const inverse = d === 0 ? 0 : fround(1 / d);
  const code = (w: number): number => {
    const q = fround(w * inverse);
    if (type === "q4_0") return clamp(Math.trunc(fround(q + 8.5)), 0, 15);
    if (type === "q8_0") return clamp(halfAway(q), -128, 127) + 128;
    return clamp(halfAway(q), -1, 1) + 1;
  };
  return { codes: x.map(code), scale: [toHalf(d)], offset: [] };
}

function fit(x: number[]): { codes: number[]; scale: number; min: number } {
  const sum = (term: (i: number) => number): number => x.reduce((total, _, i) => fround(total + term(i)), 0);
  const average = fround(Math.sqrt(fround(sum((i) => fround(x[i]! * x[i]!)) / x.length)));
  const u = x.map((w) => fround(average + abs(w)));
  let min = Math.min(...x);
  const max = Math.max(...x);
  const [sumW, sumX] = [sum((i) => u[i]!), sum((i) => fround(u[i]! * x[i]!))];
  if (min > 0) min = 0;
  if (max === min) return { codes: x.map(() => 0), scale: 0, min: -min };
  const assign = (inverse: number): number[] =>
    x.map((w) => clamp(roundTiesEven(fround(inverse * fround(w - min))), 0, 15));
  const errorOf = (codes: number[], s: number, m: number): number =>
    sum((i) => {
      const difference = fround(fround(fround(s * codes[i]!) + m) - x[i]!);
      return fround(u[i]! * fround(difference * difference));
    });
  let inverse = fround(15 / fround(max - min));
  let scale = fround(1 / inverse);
  let codes = assign(inverse);
  let best = errorOf(codes, scale, min);
  for (let step = 0; step <= 20; step++) {
    inverse = fround(fround(fround(-1 + fround(fround(0.1) * step)) + 15) / fround(max - min));
    const tried = assign(inverse);
    const sumL = sum((i) => fround(u[i]! * tried[i]!));
    const sumL2 = sum((i) => fround(fround(u[i]! * tried[i]!) * tried[i]!));
    const sumXl = sum((i) => fround(fround(u[i]! * tried[i]!) * x[i]!));
    const determinant = fround(fround(sumW * sumL2) - fround(sumL * sumL));
    if (!(determinant > 0)) continue;
    let s = fround(fround(fround(sumW * sumXl) - fround(sumX * sumL)) / determinant);
    let m = fround(fround(fround(sumL2 * sumX) - fround(sumL * sumXl)) / determinant);
    if (m > 0) [s, m] = [fround(sumXl / sumL2), 0];
    const error = errorOf(tried, s, m);
    if (error < best) [best, codes, scale, min] = [error, tried, s, m];
  }
  return { codes, scale, min: -min };
}

function q4K(x: number[]): Block {
  const parts = Array.from({ length: Math.ceil(x.length / 32) }, (_, j) => x.slice(32 * j, 32 * j + 32));
  const fits = parts.map(fit);
  const [maxScale, maxMin] = [Math.max(0, ...fits.map((f) => f.scale)), Math.max(0, ...fits.map((f) => f.min))];
  const six = (value: number, max: number): number =>
    max > 0 ? Math.min(63, roundTiesEven(fround(fround(63 / max) * value))) : 0;
  const [d, m] = [toHalf(fround(maxScale / 63)), toHalf(fround(maxMin / 63))];
  const block: Block = { codes: [], scale: [], offset: [] };
  fits.forEach((f, j) => {
    const scale = fround(d * six(f.scale, maxScale));
    const min = fround(m * six(f.min, maxMin));
    block.scale.push(scale);
    block.offset.push(-min);
    block.codes.push(
      ...(scale === 0 ? f.codes : parts[j]!.map((w) => clamp(roundTiesEven(fround(fround(w + min) / scale)), 0, 15))),
    );
  });
  return block;
}

export function naiveBlockCodes(type: QuantizerBlock, x: Float32Array, columns: number): BlockCodes {
  const all: Block = { codes: [], scale: [], offset: [] };
  for (let row = 0; row < x.length; row += columns)
    for (let k = 0; k < columns; k += blockLayouts[type].weights) {
      const weights = [...x.subarray(row + k, row + Math.min(columns, k + blockLayouts[type].weights))];
      const { codes, scale, offset } = type === "q4_k" ? q4K(weights) : simple(type, weights);
      all.codes.push(...codes);
      all.scale.push(...scale);
      all.offset.push(...offset);
    }
  const offset = type === "q4_k" ? { offset: Float32Array.from(all.offset) } : {};
  return { codes: Uint8Array.from(all.codes), scale: Float32Array.from(all.scale), ...offset };
}
