/** Files of indexes that were cut or changed: a named error, or an index as it was. */
import { LowbitError } from "lowbit";
import { Random } from "lowbit/quantize";
import { describe, expect, it } from "vitest";
import { Index, loadIndex, saveIndex } from "../src/index.ts";
import { clustered } from "./vectors.ts";

const base = clustered(300, 32, 5);
const ids = Array.from({ length: 300 }, (_, i) => `id ${i}`);

async function expectNamed(file: Uint8Array<ArrayBuffer>, whole: Uint8Array, what: string): Promise<boolean> {
  try {
    using index = await loadIndex(file);
    expect(saveIndex(index), what).toEqual(whole);
    return false;
  } catch (error) {
    expect(error, what).toBeInstanceOf(LowbitError);
    expect((error as LowbitError).code, what).toMatch(/^[a-z-]+$/);
    return true;
  }
}

describe.each(["Flat", "Binary,RSQ8", "PQ8x8", "OPQ8,PQ8x4fs,RFlat", "IVF4,RaBitQ2", "IVF4,RQ2x4fs", "HNSW8,SQ8"])(
  "a file of %s",
  (spec) => {
    it("cut anywhere is refused", async () => {
      using index = await Index.build(base, spec, { ids });
      const file = saveIndex(index);
      const random = new Random(1);
      const cuts = [0, 1, 7, 8, 9, file.length - 1, ...Array.from({ length: 40 }, () => random.below(file.length))];
      for (const length of cuts)
        expect(await expectNamed(file.slice(0, length), file, `${length} bytes`), `${length} bytes`).toBe(true);
    });

    it("with a byte changed anywhere is refused, but where its header means the same", async () => {
      using index = await Index.build(base, spec, { ids, metric: "l2" });
      const file = saveIndex(index);
      const random = new Random(2);
      const header = 8 + new DataView(file.buffer).getUint32(0, true);
      let refused = 0;
      for (let turn = 0; turn < 200; turn++) {
        // Half of them in the header.
        const at = random.below(turn % 2 === 0 ? header : file.length);
        const other = file.slice();
        other[at]! ^= 1 << random.below(8);
        refused += Number(await expectNamed(other, file, `byte ${at}`));
      }
      expect(refused).toBeGreaterThan(180);
    });
  },
);
