/** Seeded mutations of real ONNX files: a named error or a graph, within a second, never anything else. */
import { LowbitError } from "lowbit";
import { describe, expect, test } from "vitest";
import { RandomData } from "../../core/src/testing/random-data.ts";
import { importModel, runPasses } from "../src/index.ts";
import { binaryCnn, floatCnn, ternaryCnn } from "./support/networks.ts";

/**
 * Edits that structured files are sensitive to: flipped bits, numbers at their limits, pieces cut out, doubled or
 * moved.
 */
function mutate(source: Uint8Array, random: RandomData): Uint8Array {
  let bytes = source.slice();
  for (let edits = random.between(1, 3); edits > 0; edits--) {
    const at = random.below(bytes.length);
    const length = Math.min(random.between(1, 16), bytes.length - at);
    switch (random.below(7)) {
      case 0:
        bytes[at]! ^= 1 << random.below(8);
        break;
      case 1:
        bytes[at] = random.pick([0, 1, 0x7f, 0x80, 0xff]);
        break;
      case 2:
        // A varint as large as one can be.
        bytes.set(new Uint8Array(length).fill(0xff), at);
        break;
      case 3:
        bytes = Uint8Array.from([...bytes.subarray(0, at), ...bytes.subarray(at + length)]);
        break;
      case 4:
        bytes = Uint8Array.from([...bytes.subarray(0, at), ...bytes.subarray(at, at + length), ...bytes.subarray(at)]);
        break;
      case 5:
        bytes.copyWithin(random.below(bytes.length - length + 1), at, at + length);
        break;
      default:
        bytes = bytes.slice(0, at + 1);
    }
  }
  return bytes;
}

describe("ONNX reader under mutation", () => {
  // Seeds whose files are small: most of their bytes are structure, not weights.
  const files = [floatCnn(3), floatCnn(5), binaryCnn(1), ternaryCnn(2)].map(({ file }) => file);

  test("4,000 mutated files: named errors only, no hang", () => {
    const random = new RandomData(20261123);
    let accepted = 0;
    for (let i = 0; i < 4000; i++) {
      const bytes = mutate(files[i % files.length]!, random);
      const start = performance.now();
      try {
        runPasses(importModel(bytes, { format: "onnx" }));
        accepted++;
      } catch (error) {
        if (!(error instanceof LowbitError))
          throw new Error(`mutation ${i}: ${(error as Error).stack}`, { cause: error });
        expect(error.message).not.toMatch(/\n/);
      }
      expect(performance.now() - start, `mutation ${i}`).toBeLessThan(1000);
    }
    // Both outcomes occur, so the mutations are neither all fatal nor all harmless.
    expect(accepted).toBeGreaterThan(400);
    expect(accepted).toBeLessThan(3600);
  });

  test("memory: a file that announces terabytes costs no more than it has", () => {
    const random = new RandomData(7);
    const before = process.memoryUsage().arrayBuffers;
    let peak = before;
    for (let i = 0; i < 500; i++) {
      try {
        importModel(mutate(files[0]!, random), { format: "onnx" });
      } catch (error) {
        expect(error).toBeInstanceOf(LowbitError);
      }
      peak = Math.max(peak, process.memoryUsage().arrayBuffers);
    }
    expect(peak - before).toBeLessThan(256 * 2 ** 20);
  });
});
