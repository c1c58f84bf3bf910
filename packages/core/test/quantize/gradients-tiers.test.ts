/** Gradient quantizers in every tier: the kernels against plain TypeScript, and messages that no engine may change. */
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { bundledWasm } from "../../src/bundled.ts";
import { sha256Hex } from "../../src/file/digest.ts";
import { kernelGradientLoops } from "../../src/kernels/gradients.ts";
import type { KernelInstance } from "../../src/kernels/instance.ts";
import { loadKernels } from "../../src/kernels/load.ts";
import { availableTiers } from "../../src/kernels/tiers.ts";
import type { GradientLoops } from "../../src/quantize/gradients/loops.ts";
import { gradientCodec } from "../../src/quantize.ts";
import { bell, named } from "./gradient-cases.ts";
import { naiveGradientLoops, qsgdLevels } from "./naive-gradients.ts";

/** The first 64 bits of the SHA-256 of three messages of 777 numbers: a change is a change of what goes over the wire. */
const digests: Record<string, string> = {
  "1bit": "57bc51f3f9fbf1e1",
  "1bit:7": "ff3e28a8bbd19de1",
  "threshold:0.5": "80e609f7dfefb8bf",
  dynamic8: "6e6874c3bf6bab31",
  terngrad: "add182ec51507843",
  "terngrad:2.5": "8ff8acb5144dcad3",
  "qsgd:1": "724a8e2252ac8cdb",
  "qsgd:4:g16": "8af8f0a1828811c6",
  "qsgd:4:dense": "2362a3179f6344ae",
  "qsgd:255": "1b5beb542e5793cb",
  "dorefa-gradient:1": "f5e8b402a9f0de6f",
  "dorefa-gradient:4": "0696e8ec23d11c98",
  "dorefa-gradient:8": "006b80feb58db611",
  sign: "079c35745a681c10",
  "ef-sign": "d688ad73192ef85c",
};

describe.each(availableTiers())("%s", (tier) => {
  let kernels: KernelInstance;
  let loops: GradientLoops;
  beforeAll(async () => {
    kernels = await loadKernels({ tier, part: "quantize", wasm: bundledWasm });
    loops = kernelGradientLoops(kernels);
  });
  afterAll(() => kernels.dispose());

  it.each(named)("%s: the same bytes in every tier and engine", async (scheme, quantizer) => {
    const before = kernels.bytesInUse;
    const codec = await gradientCodec(quantizer, { seed: 22, kernels });
    const messages = [1, 2, 3].map((seed) => codec.encode(bell(777, seed)));
    const vectors = messages.map((bytes) => codec.decode(bytes));
    const text = [...messages, ...vectors].map((part) =>
      sha256Hex(new Uint8Array(part.buffer, part.byteOffset, part.byteLength)),
    );
    expect(sha256Hex(text.join()).slice(0, 16), scheme).toBe(digests[scheme]);
    expect(kernels.bytesInUse).toBe(before);
  });

  it("loops equal plain TypeScript's on any finite numbers", () => {
    const value = fc.oneof(
      fc.float({ noNaN: true, noDefaultInfinity: true, min: Math.fround(-1e18), max: Math.fround(1e18) }),
      fc.integer({ min: -8, max: 8 }).map((n) => n / 2),
    );
    const vector = fc.array(value, { minLength: 1, maxLength: 90 }).map((list) => Float32Array.from(list));
    const both = <T>(run: (of: GradientLoops) => T): T => {
      const result = run(loops);
      expect(result).toEqual(run(naiveGradientLoops));
      return result;
    };
    fc.assert(
      fc.property(
        vector,
        vector,
        fc.integer({ min: 1, max: 100 }),
        fc.integer({ min: 1, max: 300 }),
        fc.integer({ min: 0, max: 2 ** 31 - 1 }),
        (x, other, group, levels, seed) => {
          const count = x.length;
          const residual = Float32Array.from({ length: count }, (_, i) => other[i % other.length]!);
          for (const symmetric of [false, true]) {
            const { codes, levels } = both((of) => of.oneBit(x, residual, group, symmetric));
            both((of) => of.twoLevels(codes, group, levels));
          }
          const tau = Math.max(Math.abs(other[0]!), 2 ** -149);
          const { words } = both((of) => of.thresholdTake(x, residual, tau));
          both((of) => of.thresholdApply(words, tau, count));
          const wrong = both((of) => of.thresholdApply(words.toReversed(), tau, Math.max(1, count >> 1)));
          if (words.length > 1) expect(wrong).toBeTypeOf("number");
          const grouping = { rows: 1, columns: count, groupSize: Math.min(group, count) };
          const scale = Float32Array.from({ length: Math.ceil(count / grouping.groupSize) }, (_, g) => (g % 3) * tau);
          const codes = both((of) => of.randomCodes(x, grouping, scale, 1, 2, seed));
          const trits = both((of) => of.packTrits(codes));
          expect(both((of) => of.unpackTrits(trits, count))).toEqual(codes);
          both((of) =>
            of.unpackTrits(
              trits.map((byte, i) => byte + (i === seed % 7 ? 200 : 0)),
              count,
            ),
          );
          for (const dense of [false, true]) {
            const coding = { bucket: group, levels, dense };
            const { norms, bytes } = both((of) => of.qsgdEncode(x, coding, seed));
            const { signed } = qsgdLevels(x, coding, seed);
            const expected = signed.flatMap((part, bucket) =>
              part.map((l) => Math.fround((norms[bucket]! * l) / levels)),
            );
            const decoded = loops.qsgdDecode(norms, bytes, coding, count) as Float32Array;
            expect(decoded.map((v) => v + 0)).toEqual(Float32Array.from(expected, (v) => v + 0));
          }
          const bits = naiveGradientLoops.pack(
            Uint8Array.from(codes, (code) => code & 1),
            1,
            count,
            1,
          );
          both((of) =>
            of.majority(Uint8Array.from([...bits, ...trits.slice(0, 0), ...bits.map((b) => b >> 1)]), 2, count),
          );
          if (count > 1)
            both((of) =>
              of.leastSquaresGradient(
                x,
                residual,
                Float32Array.of(2),
                x.map((v) => v / 2),
              ),
            );
        },
      ),
      { seed: 23, numRuns: 150 },
    );
  });
});
