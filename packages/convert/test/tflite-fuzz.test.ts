/** Seeded mutations of TFLite files: a named error or a graph, within a second, never anything else. */
import { LowbitError } from "lowbit";
import { describe, expect, test } from "vitest";
import { RandomData } from "../../core/src/testing/random-data.ts";
import { importModel, runPasses } from "../src/index.ts";
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
        bytes = Uint8Array.from([...bytes.subarray(0, at), ...bytes.subarray(at + length)]);
        break;
      case 5:
        bytes = Uint8Array.from([...bytes.subarray(0, at), ...bytes.subarray(at, at + length), ...bytes.subarray(at)]);
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
    let accepted = 0;
    for (let i = 0; i < 6000; i++) {
      const bytes = mutate(files[i % files.length]!, random);
      const start = performance.now();
      try {
        runPasses(importModel(bytes, { format: "tflite" }));
        accepted++;
      } catch (error) {
        if (!(error instanceof LowbitError))
          throw new Error(`mutation ${i}: ${(error as Error).stack}`, { cause: error });
        expect(error.message).not.toMatch(/\n/);
      }
      expect(performance.now() - start, `mutation ${i}`).toBeLessThan(1000);
    }
    // Both outcomes occur, so the mutations are neither all fatal nor all harmless.
    expect(accepted).toBeGreaterThan(300);
    expect(accepted).toBeLessThan(5700);
  });

  test("memory: a file that announces gigabytes costs no more than it has", () => {
    const random = new RandomData(7);
    const before = process.memoryUsage().arrayBuffers;
    let peak = before;
    for (let i = 0; i < 1000; i++) {
      try {
        importModel(mutate(files[i % files.length]!, random), { format: "tflite" });
      } catch (error) {
        expect(error).toBeInstanceOf(LowbitError);
      }
      peak = Math.max(peak, process.memoryUsage().arrayBuffers);
    }
    expect(peak - before).toBeLessThan(64 * 2 ** 20);
  });
});
