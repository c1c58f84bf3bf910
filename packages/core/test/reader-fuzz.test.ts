import { LowbitError, loadModel, readPacked, readSafetensors, writePacked, writeSafetensors } from "lowbit";
import { describe, expect, it } from "vitest";
import { sha256Hex } from "../src/file/digest.ts";
import { goldenGraph, packedGraph } from "../src/testing/golden.ts";
import { RandomData } from "../src/testing/random-data.ts";

const original = writePacked({ graph: goldenGraph() });

/** Values that readers stumble over. */
const interesting = [
  "-1",
  "0",
  "1e308",
  "4294967296",
  "9007199254740993",
  '"N"',
  "null",
  "[]",
  "{}",
  '"__proto__"',
  "true",
  "0.5",
];

/** A file with a few random changes: bytes, pieces moved, cut or doubled. */
function mutateBytes(random: RandomData, bytes: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  const changed = bytes.slice(0, random.below(4) === 0 ? random.below(bytes.length + 1) : bytes.length);
  for (let n = random.between(1, 4); n > 0 && changed.length > 0; n--) {
    // Half of them in the first kilobyte, where the header is.
    const at = random.below(random.below(2) === 0 ? Math.min(1024, changed.length) : changed.length);
    changed[at] = random.pick([0, 255, 34, 123, 93, random.below(256)]);
    if (random.below(8) === 0) changed.copyWithin(at, random.below(changed.length), random.below(changed.length));
  }
  return changed;
}

/** Files with codes in every packing. */
const packed = (["huffman", "sparse", "sparse-huffman", "smallest"] as const).map((pack) =>
  writePacked({ graph: packedGraph() }, { pack }),
);

/** A file of packed codes with bytes of those changed, cut or appended, and digests that are right again. */
function mutatePacked(random: RandomData): Uint8Array<ArrayBuffer> {
  const { metadata, tensors } = readSafetensors(random.pick(packed));
  const json = JSON.parse(metadata.get("lowbit")!);
  const constants = json.graph.constants.filter((entry: { packing?: string }) => entry.packing);
  const { codes, data } = random.pick<{ codes?: string; data?: string }>(constants);
  const name = codes ?? data!;
  const bytes = tensors.get(name)!.bytes.slice();
  // Half of them where the lengths of Huffman codes are.
  for (let n = random.between(0, 3); n > 0; n--)
    bytes[random.below(random.below(2) ? bytes.length : Math.min(20, bytes.length))] = random.below(256);
  const length = random.below(3) ? bytes.length : random.below(bytes.length + 20);
  const changed = new Uint8Array(length);
  changed.set(bytes.subarray(0, length));
  const all = new Map(tensors).set(name, { dtype: "U8", shape: [length], bytes: changed });
  for (const entry of json.tensors) entry.sha256 = sha256Hex(all.get(entry.name)!.bytes);
  return signed(JSON.stringify(json), all);
}

/** A file whose JSON was changed and whose digests are right again: the digest cannot save the reader. */
function mutateJson(random: RandomData, from: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  const { metadata, tensors } = readSafetensors(from);
  let text = metadata.get("lowbit")!;
  for (let n = random.between(1, 3); n > 0; n--) {
    const tokens = [...text.matchAll(/-?\d+(\.\d+)?|"[^"]*"|\[[^[\]]*\]|true|false/g)];
    const { 0: token, index } = random.pick(tokens);
    // Another value from the file, or a strange one.
    const other = random.below(2) === 0 ? random.pick(interesting) : random.pick(tokens)[0];
    text = text.slice(0, index) + other + text.slice(index + token.length);
  }
  return signed(text, tensors);
}

const signed = (text: string, tensors: ReturnType<typeof readSafetensors>["tensors"]): Uint8Array<ArrayBuffer> =>
  writeSafetensors(
    tensors,
    new Map([
      ["lowbit", text],
      ["lowbit_digest", sha256Hex(text)],
    ]),
  );

/** Reads; anything but a result or a named error is a bug. */
function read(bytes: Uint8Array<ArrayBuffer>): "read" | "refused" {
  try {
    readPacked(bytes);
    return "read";
  } catch (error) {
    if (!(error instanceof LowbitError)) throw error;
    expect(error.message).not.toContain("undefined is not");
    return "refused";
  }
}

describe("reading mutated files", () => {
  it("changed bytes give a named error, 4000 times (seed 1)", () => {
    const random = new RandomData(1);
    const counts = { read: 0, refused: 0 };
    for (let i = 0; i < 4000; i++) {
      const bytes = mutateBytes(random, original);
      // A mutation may put back what was there.
      const same = bytes.length === original.length && bytes.every((byte, at) => byte === original[at]);
      const result = read(bytes);
      counts[result]++;
      expect(result === "read" && !same, `mutation ${i} went unnoticed`).toBe(false);
    }
    expect(counts.refused).toBeGreaterThan(3900);
  });

  it("changed JSON under a right digest is read or refused by name, and what is read runs or is refused by name, 1500 times (seed 2)", async () => {
    const random = new RandomData(2);
    let ran = 0;
    for (let i = 0; i < 1500; i++) {
      const bytes = mutateJson(random, original);
      if (read(bytes) === "refused") continue;
      try {
        using model = await loadModel(bytes);
        await model.profile(undefined, { runs: 1 });
        ran++;
      } catch (error) {
        if (!(error instanceof LowbitError)) throw error;
        expect(error.code, error.message).not.toBe("instance-dead");
      }
    }
    expect(ran).toBeGreaterThan(20);
  });

  it("changed JSON and changed streams of packed codes are read or refused by name, 2000 times each (seed 3)", () => {
    const random = new RandomData(3);
    const counts = { read: 0, refused: 0 };
    for (let i = 0; i < 2000; i++) {
      read(mutateJson(random, random.pick(packed)));
      counts[read(mutatePacked(random))]++;
    }
    expect(counts.read).toBeGreaterThan(100);
    expect(counts.refused).toBeGreaterThan(500);
  });
});
