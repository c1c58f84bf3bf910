/** The loops over gradients in plain TypeScript: the oracle of the kernels. */
import type { GradientLoops, QsgdCoding } from "../../src/quantize/gradients/loops.ts";
import { floatAbove } from "../../src/quantize/powers.ts";
import { Random } from "../../src/quantize/random.ts";
import { eachInGroup, naiveLoops } from "./naive-loops.ts";

const uniform = (random: Random): number => random.bits32() / 2 ** 32;

/** Elias' recursive code of n >= 1, as a string of bits, by its definition. */
export function elias(n: number): string {
  let code = "0";
  for (let rest = n; rest > 1; ) {
    const digits = rest.toString(2);
    code = digits + code;
    rest = digits.length - 1;
  }
  return code;
}

function bitsToBytes(bits: string): Uint8Array {
  const bytes = new Uint8Array(Math.ceil(bits.length / 8));
  [...bits].forEach((bit, i) => {
    bytes[i >> 3]! |= Number(bit) << (i & 7);
  });
  return bytes;
}

/** Levels with their sign, and the norm of each bucket. */
export function qsgdLevels(x: Float32Array, { bucket, levels }: QsgdCoding, seed: number) {
  const random = new Random(seed);
  const norms: number[] = [];
  const signed: number[][] = [];
  for (let from = 0; from < x.length; from += bucket) {
    const part = [...x.subarray(from, from + bucket)];
    const norm = Math.sqrt(part.reduce((sum, v) => sum + v * v, 0));
    const rounded = floatAbove(norm);
    norms.push(rounded);
    signed.push(
      part.map((v) => {
        const level = Math.floor((rounded === 0 ? 0 : (Math.abs(v) / rounded) * levels) + uniform(random));
        return v < 0 ? -level : level;
      }),
    );
  }
  return { norms: Float32Array.from(norms), signed };
}

export const naiveGradientLoops: GradientLoops = {
  ...naiveLoops,
  randomCodes(x, grouping, scale, zero, maxCode, seed) {
    const random = new Random(seed);
    const codes = new Uint8Array(x.length);
    eachInGroup(grouping, (i, g) => {
      const place = scale[g] === 0 ? 0 : x[i]! / scale[g]!;
      codes[i] = Math.max(0, Math.min(maxCode, Math.floor(place + zero + uniform(random))));
    });
    return codes;
  },
  packTrits: (codes) =>
    Uint8Array.from({ length: Math.ceil(codes.length / 5) }, (_, byte) =>
      [0, 1, 2, 3, 4].reduce((sum, i) => sum + (codes[5 * byte + i] ?? 0) * 3 ** i, 0),
    ),
  unpackTrits(bytes, count) {
    const codes = Uint8Array.from(
      { length: count },
      (_, i) => Math.floor(bytes[Math.floor(i / 5)]! / 3 ** (i % 5)) % 3,
    );
    const bad = this.packTrits(codes).findIndex((byte, i) => byte !== bytes[i]);
    return bad < 0 ? codes : bad;
  },
  oneBit(x, residual, group, symmetric) {
    const v = x.map((g, i) => g + residual[i]!);
    const codes = Uint8Array.from(v, (p) => (p < 0 ? 1 : 0));
    const levels = new Float32Array(2 * Math.ceil(x.length / group));
    for (let column = 0; column < levels.length / 2; column++) {
      const part = v.subarray(column * group, (column + 1) * group);
      const mean = (of: Float32Array): number => (of.length === 0 ? 0 : of.reduce((sum, p) => sum + p, 0) / of.length);
      const magnitude = mean(part.map(Math.abs));
      const means = symmetric
        ? [magnitude, -magnitude]
        : [mean(part.filter((p) => !(p < 0))), mean(part.filter((p) => p < 0))];
      levels.set(means, 2 * column);
    }
    return { codes, levels, residual: v.map((p, i) => p - levels[2 * Math.floor(i / group) + codes[i]!]!) };
  },
  twoLevels: (codes, group, levels) => Float32Array.from(codes, (code, i) => levels[2 * Math.floor(i / group) + code]!),
  thresholdTake(x, residual, threshold) {
    const v = x.map((g, i) => g + residual[i]!);
    const words: number[] = [];
    const left = v.map((p, i) => {
      if (Math.abs(p) <= threshold) return p;
      words.push(2 * i + (p < 0 ? 1 : 0));
      return p < 0 ? p + threshold : p - threshold;
    });
    return { words: Uint32Array.from(words), residual: left };
  },
  thresholdApply(words, threshold, count) {
    const y = new Float32Array(count);
    const bad = words.findIndex((word, i) => word >>> 1 >= count || (i > 0 && word >>> 1 <= words[i - 1]! >>> 1));
    words.forEach((word) => {
      y[word >>> 1] = word & 1 ? -threshold : threshold;
    });
    return bad < 0 ? y : bad;
  },
  majority(signs, voters, count) {
    const row = Math.ceil(count / 8);
    const result = new Uint8Array(row);
    for (let i = 0; i < count; i++) {
      let minus = 0;
      for (let voter = 0; voter < voters; voter++) minus += (signs[voter * row + (i >> 3)]! >> (i & 7)) & 1;
      if (2 * minus > voters) result[i >> 3]! |= 1 << (i & 7);
    }
    return result;
  },
  qsgdEncode(x, coding, seed) {
    const { norms, signed } = qsgdLevels(x, coding, seed);
    let bits = "";
    for (const levels of signed) {
      if (coding.dense) {
        for (const l of levels) bits += elias(Math.abs(l) + 1) + (l === 0 ? "" : l < 0 ? "1" : "0");
        continue;
      }
      const places = levels.flatMap((l, i) => (l === 0 ? [] : [i]));
      bits += elias(places.length + 1);
      places.forEach((place, i) => {
        const before = i === 0 ? -1 : places[i - 1]!;
        bits += elias(place - before) + (levels[place]! < 0 ? "1" : "0") + elias(Math.abs(levels[place]!));
      });
    }
    return { norms, bytes: bitsToBytes(bits) };
  },
  // The kernel's reader is tested by what it reads of both writers.
  qsgdDecode: () => "corrupt",
  leastSquaresGradient(first, second, x, b) {
    const g = new Float64Array(x.length);
    b.forEach((target, i) => {
      const row = second.subarray(i * x.length, (i + 1) * x.length);
      const residual = row.reduce((sum, a, k) => sum + a * x[k]!, 0) - target;
      for (let k = 0; k < x.length; k++) g[k]! += first[i * x.length + k]! * residual;
    });
    return Float32Array.from(g, (sum) => sum / b.length);
  },
};
