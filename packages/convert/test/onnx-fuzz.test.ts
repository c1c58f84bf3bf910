/** Seeded mutations of real ONNX files: a named error or a graph, within a second, never anything else. */
import { describe, expect, test } from "vitest";
import { RandomData } from "../../core/src/testing/random-data.ts";
import { importModel, runPasses } from "../src/index.ts";
import { cut, doubled, memoryOf, readMutated } from "./support/mutation.ts";
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
        bytes = cut(bytes, at, length);
        break;
      case 4:
        bytes = doubled(bytes, at, length);
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
    const read = (bytes: Uint8Array) => runPasses(importModel(bytes, { format: "onnx" }));
    const accepted = readMutated(files, { count: 4000, random, mutate, read });
    // Both outcomes occur, so the mutations are neither all fatal nor all harmless.
    expect(accepted).toBeGreaterThan(400);
    expect(accepted).toBeLessThan(3600);
  });

  test("memory: a file that announces terabytes costs no more than it has", () => {
    const random = new RandomData(7);
    const read = () => importModel(mutate(files[0]!, random), { format: "onnx" });
    expect(memoryOf(500, read)).toBeLessThan(256 * 2 ** 20);
  });
});
