/** Seeded mutations of TFLite files: a named error or a graph, within a second, never anything else. */
import { describe, expect, test } from "vitest";
import { RandomData } from "../../core/src/testing/random-data.ts";
import { importModel, runPasses } from "../src/index.ts";
import { cut, doubled, memoryOf, readMutated } from "./support/mutation.ts";
import { tfliteCases } from "./support/tflite-cases.ts";

/** Edits that files of offsets are sensitive to: bits, offsets to anywhere, sizes at their limits, pieces cut out or moved. */
function mutate(source: Uint8Array, random: RandomData): Uint8Array {
  let bytes = source.slice();
  for (let edits = random.between(1, 3); edits > 0; edits--) {
    const at = random.below(bytes.length);
    const length = Math.min(random.between(1, 16), bytes.length - at);
    const word = Math.min(at & ~3, bytes.length - 4);
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    switch (random.below(8)) {
      case 0:
        bytes[at]! ^= 1 << random.below(8);
        break;
      case 1:
        bytes[at] = random.pick([0, 1, 0x7f, 0x80, 0xff]);
        break;
      case 2:
        // An offset to some other place of the file, which may be a table or a vtable too.
        view.setInt32(word, random.between(-bytes.length, bytes.length), true);
        break;
      case 3:
        view.setUint32(word, random.pick([0, 1, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff, 0x1000_0000]), true);
        break;
      case 4:
        bytes = cut(bytes, at, length);
        break;
      case 5:
        bytes = doubled(bytes, at, length);
        break;
      case 6:
        bytes.copyWithin(random.below(bytes.length - length + 1), at, at + length);
        break;
      default:
        if (random.below(4) === 0) bytes = bytes.slice(0, at + 1);
        else bytes[at] = random.below(256);
    }
    if (bytes.length < 8) return bytes;
  }
  return bytes;
}

describe("TFLite reader under mutation", () => {
  const files = tfliteCases().map(({ file }) => file);

  test("6,000 mutated files: named errors only, no hang", () => {
    const random = new RandomData(20261127);
    const read = (bytes: Uint8Array) => runPasses(importModel(bytes, { format: "tflite" }));
    const accepted = readMutated(files, { count: 6000, random, mutate, read });
    // Both outcomes occur, so the mutations are neither all fatal nor all harmless.
    expect(accepted).toBeGreaterThan(300);
    expect(accepted).toBeLessThan(5700);
  });

  test("memory: a file that announces gigabytes costs no more than it has", () => {
    const random = new RandomData(7);
    const read = (i: number) => importModel(mutate(files[i % files.length]!, random), { format: "tflite" });
    expect(memoryOf(1000, read)).toBeLessThan(64 * 2 ** 20);
  });
});
