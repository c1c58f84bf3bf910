import {
  type Constant,
  FormatError,
  type Graph,
  loadModel,
  readPacked,
  readSafetensors,
  Tensor,
  writePacked,
  writeSafetensors,
} from "lowbit";
import { describe, expect, it } from "vitest";
import { BitReader, BitWriter, fieldTable } from "../src/file/bits.ts";
import { sha256Hex } from "../src/file/digest.ts";
import { expand } from "../src/file/expand.ts";
import { codeLengths, codesOf, LONGEST, packLengths, readTable } from "../src/file/huffman.ts";
import { type Pack, packCodes, packFloats, packs } from "../src/file/pack.ts";
import { packedGraph, ternaryGraph } from "../src/testing/golden.ts";
import { RandomData } from "../src/testing/random-data.ts";

/** The least sum of count * length of any prefix code: repeated merging of the two rarest. */
function huffmanCost(counts: readonly number[]): number {
  const queue = counts.filter((count) => count > 0);
  let cost = 0;
  while (queue.length > 1) {
    queue.sort((a, b) => b - a);
    const sum = queue.pop()! + queue.pop()!;
    cost += sum;
    queue.push(sum);
  }
  return cost;
}

describe("streams of bits", () => {
  it("come back, and end where they end", () => {
    const random = new RandomData(1);
    const fields = Array.from({ length: 999 }, () => {
      const width = random.between(1, 8);
      return { width, value: random.below(2 ** width) };
    });
    const writer = new BitWriter();
    for (const { width, value } of fields) writer.write(value, width);
    const bytes = writer.finish();
    expect(bytes.length).toBe(Math.ceil(fields.reduce((sum, { width }) => sum + width, 0) / 8));
    const reader = new BitReader(bytes);
    for (const { width, value } of fields) {
      expect(reader.isAtEnd()).toBe(false);
      expect(reader.symbol(fieldTable(width))).toBe(value);
    }
    expect(reader.isAtEnd()).toBe(true);
    reader.symbol(fieldTable(8));
    expect(reader.isAtEnd()).toBe(false);
  });
});

describe("Huffman codes", () => {
  const costOf = (counts: readonly number[]) => {
    const lengths = codeLengths(Uint32Array.from(counts));
    return counts.reduce((sum, count, symbol) => sum + count * lengths[symbol]!, 0);
  };

  it("are as short as Huffman's own where none of those is too long", () => {
    const random = new RandomData(2);
    for (let trial = 0; trial < 50; trial++) {
      const counts = Array.from({ length: random.between(2, 60) }, () => random.between(5, 90));
      expect(costOf(counts)).toBe(huffmanCost(counts));
    }
  });

  it("have 12 bits at most, and are the best of those, as Fibonacci's counts show", () => {
    const counts = [1, 1];
    while (counts.length < 20) counts.push(counts.at(-1)! + counts.at(-2)!);
    const lengths = codeLengths(Uint32Array.from(counts));
    expect(Math.max(...lengths)).toBe(LONGEST);
    expect([...lengths].reduce((sum, length) => sum + 2 ** -length, 0)).toBe(1);
    // 19 bits without a limit. No lengths that fit 12 bits cost less: tried by moving every pair of them.
    expect(costOf(counts)).toBeGreaterThan(huffmanCost(counts));
    expect(costOf(counts)).toBeLessThan(1.01 * huffmanCost(counts));
  });

  it("are those of RFC 1951, section 3.2.2, of its example", () => {
    // A..H of lengths 3, 3, 3, 3, 3, 2, 4, 4: 010 011 100 101 110 00 1110 1111.
    const lengths = Uint8Array.of(3, 3, 3, 3, 3, 2, 4, 4);
    const reversed = (code: string) => Number.parseInt([...code].reverse().join(""), 2);
    expect([...codesOf(lengths)]).toEqual(["010", "011", "100", "101", "110", "00", "1110", "1111"].map(reversed));
  });

  it("of one symbol, and of none, are complete by stand-ins", () => {
    expect([...codeLengths(Uint32Array.of(0, 0, 7, 0))]).toEqual([1, 0, 1, 0]);
    expect([...codeLengths(Uint32Array.of(9, 0))]).toEqual([1, 1]);
    expect([...codeLengths(new Uint32Array(4))]).toEqual([1, 1, 0, 0]);
  });

  it("are refused where their lengths are too long, over-subscribed or incomplete", () => {
    const table = (...lengths: number[]) => readTable(packLengths(Uint8Array.from(lengths)), 0, lengths.length, "w");
    expect(table(1, 2, 2).width).toBe(2);
    expect(() => table(1, 1, 1)).toThrow(
      "Huffman codes of w, expected lengths of a complete code, got 6144 of 4096 taken",
    );
    expect(() => table(1, 2, 3)).toThrow(/3584 of 4096 taken/);
    expect(() => table(1)).toThrow(FormatError);
    expect(() => table(0, 0)).toThrow(/got 0 of 4096/);
    expect(() => table(1, 13)).toThrow("longest Huffman code of w, expected at most 12 bits, got 13");
  });
});

const packings = packs.filter((pack) => pack !== "bits" && pack !== "smallest");

describe("packed codes", () => {
  it("come back from every packing, bits, row length and density", () => {
    const random = new RandomData(3);
    const used = new Set<string>();
    for (let bits = 1; bits <= 8; bits++)
      for (const perRow of [1, 2, 7, 8, 33, 400])
        for (const every of [1, 3, 20, 500])
          for (const pack of packs) {
            const n = random.between(1, 4);
            const shape = [n, perRow];
            const codes = random.skewedCodes({ ...random.weight({ shape, kind: "table", bits }), bits }, every);
            const packed = packCodes(codes, { n, perRow, bits }, pack);
            if (packed.packing === undefined) expect(packed.bytes).toBe(codes);
            else {
              used.add(packed.packing);
              expect(packed.bytes.length).toBeLessThan(codes.length);
              expect(expand.codes(packed.packing, packed.bytes, { n, perRow, bits }, "w")).toEqual(codes);
            }
          }
    expect([...used].sort()).toEqual([...packings].sort());
  });

  it("are the bytes of the example in docs/format.md", () => {
    // Two-bit codes 0 1 0 0, 2.
    const sizes = { n: 1, perRow: 5, bits: 2 };
    const packed = Uint8Array.of(0x21, 0x02, 0b1100010);
    expect(expand.codes("huffman", packed, sizes, "w")).toEqual(Uint8Array.of(0b00_00_01_00, 2));
    expect([...codeLengths(Uint32Array.of(3, 1, 1, 0))]).toEqual([1, 2, 2, 0]);
  });

  it("are the smallest where asked", () => {
    const random = new RandomData(4);
    for (const every of [1, 4, 30]) {
      const codes = random.skewedCodes(random.weight({ shape: [40, 50], kind: "table", bits: 4 }), every);
      const sizeOf = (pack: Pack) => packCodes(codes, { n: 40, perRow: 50, bits: 4 }, pack).bytes.length;
      expect(sizeOf("smallest")).toBe(Math.min(...packs.filter((pack) => pack !== "smallest").map(sizeOf)));
    }
  });

  it("take about the entropy: 0.2 % of the bits more for skewed codes of 4 bits", () => {
    const random = new RandomData(5);
    const n = 50;
    const perRow = 2000;
    const weight = random.weight({ shape: [n, perRow], kind: "table", bits: 4 });
    const codes = random.skewedCodes(weight, 3);
    const counts = new Float64Array(16);
    for (const byte of codes) for (const code of [byte & 15, byte >> 4]) counts[code]!++;
    const entropy = counts.reduce((sum, count) => sum - (count && count * Math.log2(count / (n * perRow))), 0);
    const { bytes } = packCodes(codes, { n, perRow, bits: 4 }, "huffman");
    expect(8 * bytes.length).toBeGreaterThan(entropy);
    expect(8 * bytes.length).toBeLessThan(1.1 * entropy);
  });

  it("keep gaps longer than a symbol says, first and last", () => {
    for (const at of [[0], [4999], [0, 4999], [254], [255], [256], [2500], []])
      for (const pack of ["sparse", "sparse-huffman"] as const) {
        const codes = new Uint8Array(5000).fill(9);
        for (const i of at) codes[i] = 200;
        const packed = packCodes(codes, { n: 1, perRow: 5000, bits: 8 }, pack);
        expect(packed.packing).toBe(pack);
        expect(expand.codes(pack, packed.bytes, { n: 1, perRow: 5000, bits: 8 }, "w")).toEqual(codes);
      }
  });
});

describe("sparse floats", () => {
  it("come back bit for bit, the negative zero, denormals and infinities too", () => {
    const data = new Float32Array(700);
    data.set([1.5, -0, 2 ** -149, Number.POSITIVE_INFINITY, -3], 100);
    data[699] = 0.1;
    for (const pack of ["sparse", "sparse-huffman"] as const) {
      const { bytes, packing } = packFloats(data, pack)!;
      const back = expand.floats(packing as typeof pack, bytes, 700, "w");
      expect(new Uint32Array(back.buffer)).toEqual(new Uint32Array(data.buffer));
    }
  });

  it("are stored as they are where half of them are not 0, or nothing else is asked for", () => {
    expect(packFloats(new RandomData(6).floats(99), "smallest")).toBeUndefined();
    expect(packFloats(new Float32Array(99), "huffman")).toBeUndefined();
    expect(packFloats(new Float32Array(1), "smallest")).toBeDefined();
    expect(packFloats(new Float32Array(0), "smallest")).toBeUndefined();
  });
});

const version = (bytes: Uint8Array<ArrayBuffer>): number =>
  JSON.parse(readSafetensors(bytes).metadata.get("lowbit")!).version;

/** The constant packed with its JSON and bytes changed and signed anew. */
function forged(
  pack: Pack,
  edit: (
    entry: Record<string, unknown>,
    bytes: Uint8Array<ArrayBuffer>,
    json: { version: number },
  ) => Uint8Array<ArrayBuffer> | undefined,
): () => unknown {
  const { metadata, tensors } = readSafetensors(writePacked({ graph: packedGraph() }, { pack }));
  const json = JSON.parse(metadata.get("lowbit")!);
  const entry = json.graph.constants.find(({ packing }: { packing?: string }) => packing === pack);
  const name = entry.codes as string;
  const bytes = tensors.get(name)!.bytes.slice();
  const changed = edit(entry, bytes, json) ?? bytes;
  const all = new Map(tensors).set(name, { dtype: "U8", shape: [changed.length], bytes: changed });
  for (const listed of json.tensors) listed.sha256 = sha256Hex(all.get(listed.name)!.bytes);
  const text = JSON.stringify(json);
  const file = writeSafetensors(all, new Map([["lowbit", text] as const, ["lowbit_digest", sha256Hex(text)] as const]));
  return () => readPacked(file);
}

describe("a file with packed codes", () => {
  it.each(packs)("holds the same graph, packed as %s", (pack) => {
    const bytes = writePacked({ graph: packedGraph() }, { pack });
    expect(version(bytes)).toBe(3);
    expect(readPacked(bytes).graph).toEqual(packedGraph());
  });

  it("is of version 3 for its packings alone, and of version 1 without any", () => {
    const first = new Map(
      [...ternaryGraph().constants].map(([name, constant]) => [name, mostlyOne(constant)] as const),
    );
    const graph: Graph = { ...ternaryGraph(), constants: first };
    expect(version(writePacked({ graph }))).toBe(1);
    expect(version(writePacked({ graph }, { pack: "base3" }))).toBe(2);
    expect(version(writePacked({ graph }, { pack: "sparse-huffman" }))).toBe(3);
  });

  it("runs as the same graph does", async () => {
    const constants = new Map(
      [...ternaryGraph().constants].map(([name, constant]) => [name, mostlyOne(constant)] as const),
    );
    const x = new Tensor("f32", [1, 35], new RandomData(7).floats(35));
    const run = async (pack: Pack) => {
      using model = await loadModel(writePacked({ graph: { ...ternaryGraph(), constants } }, { pack }));
      return Object.values(await model.run({ x })).map(({ data }) => data);
    };
    const expected = await run("bits");
    for (const pack of ["base3", "huffman", "sparse", "sparse-huffman", "smallest"] as const)
      expect(await run(pack)).toEqual(expected);
  });

  it.each(["huffman", "sparse", "sparse-huffman"] as const)("is refused by name where %s does not hold", (pack) => {
    expect(forged(pack, () => undefined)).not.toThrow();
    expect(forged(pack, (_, bytes) => bytes.subarray(0, -1))).toThrow(FormatError);
    expect(forged(pack, (_, bytes) => Uint8Array.of(...bytes, 0))).toThrow(/an end with its last byte|gaps of/);
    expect(forged(pack, () => new Uint8Array(0))).toThrow(FormatError);
    expect(forged(pack, (entry) => void Object.assign(entry, { packing: "zip" }))).toThrow(
      /packing.*base3, huffman, sparse/,
    );
    expect(forged(pack, (entry) => void Object.assign(entry, { shape: [2 ** 31 - 1, 2 ** 31 - 1] }))).toThrow(
      FormatError,
    );
    expect(forged(pack, (_, __, json) => void Object.assign(json, { version: 1 }))).toThrow(
      /packing, expected none in version 1/,
    );
    expect(forged(pack, (_, __, json) => void Object.assign(json, { version: 4 }))).toThrow(
      /version of the format \(at most\)/,
    );
  });

  it("is refused by name where a table, a gap or the background of a sparse stream does not hold", () => {
    expect(forged("huffman", (_, bytes) => bytes.fill(0x11, 0, 2))).toThrow(/Huffman codes of tensor/);
    expect(forged("sparse", (_, bytes) => void Object.assign(bytes, { 0: 255 }))).toThrow(
      /most frequent code of tensor/,
    );
    expect(forged("sparse", (_, bytes) => void Object.assign(bytes, { 1: 9 }))).toThrow(
      /bits of a gap of tensor .* 1 to 8, got 9/,
    );
    expect(forged("sparse-huffman", (_, bytes) => bytes.fill(0x11, 2, 4))).toThrow(/Huffman codes of gaps of tensor/);
    // Gap 0 and the most frequent code itself; then a gap beyond the last code.
    const at = { n: 1, perRow: 40, bits: 4 };
    const stream = (...fields: number[]) => {
      const writer = new BitWriter();
      for (const field of fields) writer.write(field, 4);
      return Uint8Array.of(3, 4, ...writer.finish());
    };
    expect(() => expand.codes("sparse", stream(0, 3, 15, 15, 9, 0), at, "w")).toThrow(/other than the most frequent/);
    expect(() => expand.codes("sparse", stream(15, 15, 11, 0), at, "w")).toThrow(
      "gaps of w, expected at most 40 codes, got 41",
    );
    expect(expand.codes("sparse", stream(15, 15, 10), at, "w")).toEqual(new Uint8Array(20).fill(0x33));
    expect(() => expand.codes("sparse", stream(15, 15, 9, 2, 0, 0), at, "w")).toThrow(/an end with its last byte/);
    expect(() => expand.codes("sparse", stream(1), { ...at, perRow: 1e9 }, "w")).toThrow(/at most 128 for a byte/);
  });
});

/** Two-bit codes with a 0 or 2 here and there. */
function mostlyOne(constant: Constant): Constant {
  return constant.kind === "plain"
    ? constant
    : { ...constant, codes: constant.codes.map((byte, i) => (i % 9 ? 0x55 : byte)) };
}
