import { FormatError, readPacked, readSafetensors, writePacked, writeSafetensors } from "lowbit";
import { describe, expect, it } from "vitest";
import { base3RowBytes, expandBase3, fitsBase3, packBase3 } from "../src/file/base3.ts";
import { sha256Hex } from "../src/file/digest.ts";
import { golden, ternaryGraph } from "../src/testing/golden.ts";
import { RandomData } from "../src/testing/random-data.ts";

/** Digits of every byte, least significant first. */
const digits = (byte: number) => [1, 3, 9, 27, 81].map((unit) => Math.floor(byte / unit) % 3);

/** The file with its `lowbit` text and its tensors changed and signed anew. */
function forged(
  edit: (json: { version: number; graph: { constants: Record<string, unknown>[] } }) => void,
  bend: (tensors: ReturnType<typeof readSafetensors>["tensors"]) => void = () => {},
): () => unknown {
  const { metadata, tensors } = readSafetensors(writePacked({ graph: ternaryGraph() }, { pack: "base3" }));
  bend(tensors);
  const json = JSON.parse(metadata.get("lowbit")!);
  for (const entry of json.tensors) entry.sha256 = sha256Hex(tensors.get(entry.name)!.bytes);
  edit(json);
  const text = JSON.stringify(json);
  const entries = [
    ["lowbit", text],
    ["lowbit_digest", sha256Hex(text)],
  ] as const;
  const bytes = writeSafetensors(tensors, new Map(entries));
  return () => readPacked(bytes);
}

describe("codes in base 3", () => {
  it("expand from every byte 0..242 to its five digits, and pack to it again", () => {
    for (let byte = 0; byte < 243; byte++) {
      const codes = expandBase3(Uint8Array.of(byte), 1, 5, "w");
      expect([0, 1, 2, 3, 4].map((i) => (codes[i >> 2]! >> (2 * (i & 3))) & 3)).toEqual(digits(byte));
      expect([...packBase3(codes, 1, 5)]).toEqual([byte]);
    }
  });

  it("refuse every byte above 242, and spare digits that are not 0, by name", () => {
    for (let byte = 243; byte < 256; byte++)
      expect(() => expandBase3(Uint8Array.of(0, byte), 1, 10, "tensor w")).toThrow(
        `tensor w, row 0, byte 1: codes in base 3 (at most), expected 242, got ${byte}`,
      );
    for (const [perRow, most] of [2, 8, 26, 80].entries()) {
      expect(() => expandBase3(Uint8Array.of(most), 1, perRow + 1, "w")).not.toThrow();
      expect(() => expandBase3(Uint8Array.of(most + 1), 1, perRow + 1, "w")).toThrow(FormatError);
    }
    expect(() => expandBase3(new Uint8Array(3), 1, 10, "w")).toThrow(FormatError);
  });

  it("come back from rows of every length", () => {
    const random = new RandomData(5);
    for (let perRow = 1; perRow < 70; perRow++) {
      const codes = random.codes(3, perRow, 2, 3);
      const packed = packBase3(codes, 3, perRow);
      expect(packed.length).toBe(3 * base3RowBytes(perRow));
      expect(expandBase3(packed, 3, perRow, "w"), `${perRow} codes`).toEqual(codes);
    }
  });

  it("are used where every code is below 3 and bytes are saved", () => {
    expect(fitsBase3(Uint8Array.of(0b10_01_00_10))).toBe(true);
    expect(fitsBase3(Uint8Array.of(0b10_11_00_10))).toBe(false);
    const version = (bytes: Uint8Array<ArrayBuffer>) =>
      JSON.parse(readSafetensors(bytes).metadata.get("lowbit")!).version;
    expect(version(writePacked({ graph: ternaryGraph() }))).toBe(1);
    expect(version(writePacked({ graph: ternaryGraph() }, { pack: "base3" }))).toBe(2);
    expect(version(writePacked(golden(), { pack: "base3" }))).toBe(1);
  });
});

describe("a file with codes in base 3", () => {
  it("is refused by name where what it says does not hold", () => {
    const constant = (edit: (entry: Record<string, unknown>) => void) =>
      forged((json) => edit(json.graph.constants.find(({ packing }) => packing)!));
    expect(constant(() => {})).not.toThrow();
    expect(constant((entry) => (entry.packing = "base4"))).toThrow(/packing.*base3/);
    expect(constant((entry) => (entry.bits = 3))).toThrow(/bits.*as the codes are packed in base 3/);
    expect(constant((entry) => (entry.shape = [17, 36]))).toThrow(FormatError);
    expect(constant((entry) => (entry.shape = [2 ** 31 - 1, 2 ** 31 - 1]))).toThrow(FormatError);
    const bent = forged(
      () => {},
      (tensors) => [...tensors.values()].find(({ dtype }) => dtype === "U8")!.bytes.fill(250),
    );
    expect(bent).toThrow(/codes in base 3/);
    expect(forged((json) => (json.version = 4))).toThrow(/version of the format \(at most\)/);
  });
});
