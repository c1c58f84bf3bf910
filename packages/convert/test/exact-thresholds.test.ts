import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { floats } from "../src/graph/constants.ts";
import { GraphEditor } from "../src/graph/editor.ts";
import { perChannelConstant } from "../src/graph/low-bit.ts";
import { type LayerTrace, traceToLayer } from "../src/passes/channel-function.ts";
import { thresholdOf } from "../src/passes/exact-thresholds.ts";

/** dense over K bits -> batch normalization -> clip -> sign, with one output channel per entry of the parameters. */
function trace(
  taps: number,
  alpha: readonly number[],
  parameters: readonly (readonly number[])[],
  trits = false,
): LayerTrace {
  const channels = alpha.length;
  const editor = new GraphEditor({ name: "test" });
  editor.addInput("x", { dtype: trits ? "trit" : "bit", shape: ["N", taps] });
  const weight = perChannelConstant(
    "binary",
    [channels, taps],
    1,
    new Uint8Array(channels * taps),
    { kind: "sign" },
    Float32Array.from(alpha),
  );
  const names = parameters.map((values, i) => editor.constant(`p${i}`, floats([channels], values)));
  const sums = editor.add("dense", "layer", ["x", editor.constant("w", weight)], {});
  const normalized = editor.add("batchNorm", "bn", [sums, ...names], { epsilon: 1e-5 });
  const sign = editor.add("sign", "sign", [normalized], {});
  editor.outputs = [sign];
  return traceToLayer(editor, normalized)!;
}

const real = fc.float({ min: -40, max: 40, noNaN: true, noDefaultInfinity: true });
const positive = fc.float({ min: Math.fround(0.01), max: 40, noNaN: true });

describe("exact thresholds", () => {
  test("K=1..65: the comparison equals the sign of the source's f32 expression at every reachable sum", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 65 }),
        fc.boolean(),
        positive,
        real,
        real,
        real,
        positive,
        (taps, trits, alpha, scale, bias, mean, variance) => {
          const channel = trace(taps, [alpha], [[scale], [bias], [mean], [variance]], trits);
          const result = thresholdOf(channel, 0)!;
          let zero = false;
          for (let k = -taps; k <= taps; k += trits ? 1 : 2) {
            const value = channel.value(k, 0);
            zero ||= value === 0;
            if (value === 0) continue;
            const compared = result.negate ? -k : k;
            expect(compared >= result.threshold ? 1 : -1).toBe(value > 0 ? 1 : -1);
          }
          expect(result.zero).toBe(zero);
        },
      ),
      { seed: 1, numRuns: 400 },
    );
  });

  test("a channel that never changes has the extreme thresholds", () => {
    const channel = trace(
      9,
      [1, 1],
      [
        [0, 0],
        [1, -1],
        [0, 0],
        [1, 1],
      ],
    );
    expect(thresholdOf(channel, 0)).toEqual({ threshold: -(2 ** 31), negate: false, zero: false });
    expect(thresholdOf(channel, 1)).toEqual({ threshold: 2 ** 31 - 1, negate: false, zero: false });
  });

  test("a scale of 0 with a bias of 0 is 0 everywhere", () => {
    expect(thresholdOf(trace(4, [1], [[0], [0], [3], [1]]), 0)!.zero).toBe(true);
  });

  test("an offset that only the other parity reaches is no zero for bits, and is one for trits", () => {
    const parameters = [[1], [0], [3], [1]];
    expect(thresholdOf(trace(8, [1], parameters), 0)).toMatchObject({ zero: false, threshold: 4 });
    expect(thresholdOf(trace(8, [1], parameters, true), 0)).toMatchObject({ zero: true });
  });

  test("a falling expression is compared with the negated sum", () => {
    // -(k - 3) > 0 where k < 3: k in {..., 2} is +1.
    expect(thresholdOf(trace(8, [1], [[-1], [0], [3], [1]]), 0)).toEqual({ threshold: -2, negate: true, zero: false });
  });

  test("NaN parameters give no threshold", () => {
    expect(thresholdOf(trace(4, [1], [[Number.NaN], [0], [0], [1]]), 0)).toBeUndefined();
  });
});
