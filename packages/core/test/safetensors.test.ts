import { FormatError, looksLikeSafetensors, type RawTensor, readSafetensors, writeSafetensors } from "lowbit";
import { describe, expect, it } from "vitest";
import { RandomData } from "../src/testing/random-data.ts";

/** A file whose header is this text, followed by `data` bytes of zeros. */
function file(
  header: string,
  data = 0,
  length = BigInt(new TextEncoder().encode(header).length),
): Uint8Array<ArrayBuffer> {
  const text = new TextEncoder().encode(header);
  const bytes = new Uint8Array(8 + text.length + data);
  new DataView(bytes.buffer).setBigUint64(0, length, true);
  bytes.set(text, 8);
  return bytes;
}

const tensor = (name: string, begin: number, end: number, shape = `[${end - begin}]`, dtype = "U8") =>
  `"${name}":{"dtype":"${dtype}","shape":${shape},"data_offsets":[${begin},${end}]}`;

const ofBytes = (dtype: RawTensor["dtype"], shape: readonly number[], bytes: number): RawTensor => ({
  dtype,
  shape,
  bytes: new Uint8Array(bytes),
});

describe("readSafetensors", () => {
  it("reads tensors in the order of their bytes, and the metadata", () => {
    const header = `{"__metadata__":{"a":"b"},${tensor("second", 3, 5)},${tensor("first", 0, 3)},${tensor("none", 5, 5)}}   `;
    const { metadata, tensors } = readSafetensors(file(header, 5));
    expect([...metadata]).toEqual([["a", "b"]]);
    expect([...tensors.keys()]).toEqual(["first", "second", "none"]);
    expect(tensors.get("second")?.shape).toEqual([2]);
  });

  it("reads from the middle of a buffer", () => {
    const inner = file(`{${tensor("x", 0, 4, "[1]", "F32")}}`, 4);
    const outer = new Uint8Array(inner.length + 3);
    outer.set(inner, 3);
    expect(readSafetensors(outer.subarray(3)).tensors.get("x")?.bytes.length).toBe(4);
  });

  const lies: Record<string, readonly [bytes: Uint8Array<ArrayBuffer>, code: string]> = {
    "an empty file": [new Uint8Array(0), "file-empty"],
    "7 bytes": [new Uint8Array(7), "file-truncated"],
    "a header of 1 byte": [file("{", 0), "header-length"],
    "a header of 2^63 bytes": [file("{}", 0, 2n ** 63n), "header-length"],
    "a header of 200 MB": [file("{}", 0, 200_000_000n), "header-length"],
    "a header longer than the file": [file("{}", 0, 3n), "file-truncated"],
    "a header that does not begin with {": [file(" {}"), "header-syntax"],
    "a byte order mark": [file("\ufeff{}"), "header-syntax"],
    "broken UTF-8": [Uint8Array.of(4, 0, 0, 0, 0, 0, 0, 0, 0x7b, 0xff, 0xff, 0x7d), "header-syntax"],
    "broken JSON": [file('{"a"}'), "header-syntax"],
    "a broken string": [file('{"a\\'), "header-syntax"],
    "something behind the header": [file("{}{}"), "header-syntax"],
    "nesting without end": [file(`{"a":${"[".repeat(100_000)}`), "header-depth"],
    "one name twice": [file(`{${tensor("x", 0, 1)},${tensor("x", 0, 1)}}`, 1), "tensor-duplicate"],
    "one name in two spellings": [file(`{${tensor("x", 0, 1)},${tensor("\\u0078", 0, 1)}}`, 1), "tensor-duplicate"],
    "a key twice in an entry": [
      file('{"x":{"dtype":"U8","dtype":"U8","shape":[1],"data_offsets":[0,1]}}', 1),
      "tensor-duplicate",
    ],
    "metadata that is no object": [file('{"__metadata__":["a"]}'), "header-type"],
    "metadata that is no string": [file('{"__metadata__":{"a":1}}'), "header-type"],
    "a tensor that is no object": [file('{"x":3}'), "header-type"],
    "an unknown member": [file('{"x":{"dtype":"U8","shape":[1],"data_offsets":[0,1],"more":1}}', 1), "header-type"],
    "an unknown dtype": [file(`{${tensor("x", 0, 1, "[1]", "F128")}}`, 1), "tensor-dtype"],
    "a dtype from the prototype": [file(`{${tensor("x", 0, 1, "[1]", "constructor")}}`, 1), "tensor-dtype"],
    "no dtype": [file('{"x":{"shape":[1],"data_offsets":[0,1]}}', 1), "tensor-dtype"],
    "a negative size": [file(`{${tensor("x", 0, 1, "[-1]")}}`, 1), "tensor-shape"],
    "a broken size": [file(`{${tensor("x", 0, 1, "[0.5]")}}`, 1), "tensor-shape"],
    "a shape that overflows": [file(`{${tensor("x", 0, 1, "[4294967296,4294967296]")}}`, 1), "tensor-shape"],
    "offsets in the wrong order": [file(`{${tensor("x", 1, 0, "[1]")}}`, 1), "tensor-offsets"],
    "three offsets": [file('{"x":{"dtype":"U8","shape":[1],"data_offsets":[0,1,1]}}', 1), "tensor-offsets"],
    "a size that is not the shape's": [file(`{${tensor("x", 0, 2, "[1]")}}`, 2), "tensor-offsets"],
    "a tensor past the end": [file(`{${tensor("x", 0, 2)}}`, 1), "file-truncated"],
    "two tensors over each other": [file(`{${tensor("x", 0, 2)},${tensor("y", 1, 3)}}`, 3), "tensor-overlap"],
    "a hole before the first": [file(`{${tensor("x", 1, 2)}}`, 2), "tensor-hole"],
    "a hole between two": [file(`{${tensor("x", 0, 1)},${tensor("y", 2, 3)}}`, 3), "tensor-hole"],
    "bytes behind the last": [file(`{${tensor("x", 0, 1)}}`, 2), "tensor-hole"],
  };
  it.each(Object.entries(lies))("refuses %s by name", (_, [bytes, code]) => {
    try {
      readSafetensors(bytes);
    } catch (error) {
      expect(error).toBeInstanceOf(FormatError);
      expect((error as FormatError).code).toBe(code);
      expect((error as FormatError).message).toMatch(/^safetensors: .+, expected .+, got .*$/s);
      expect((error as FormatError).message.length).toBeLessThan(700);
      return;
    }
    expect.fail("was read");
  });

  it("shows no control character of a hostile name in a message", () => {
    const hostile = file('{"\\u001b[31m\\n":3}');
    // biome-ignore lint/suspicious/noControlCharactersInRegex: that is the point
    expect(() => readSafetensors(hostile)).toThrow(/^[^\u0000-\u001f]+$/);
  });
});

describe("writeSafetensors", () => {
  it("orders tensors by falling element size, then by name, and aligns the data", () => {
    const tensors = new Map([
      ["bytes", ofBytes("U8", [3], 3)],
      ["z", ofBytes("F32", [2], 8)],
      ["a", ofBytes("F32", [1], 4)],
      ["halves", ofBytes("F16", [5], 10)],
      ["longs", ofBytes("I64", [1], 8)],
    ]);
    const bytes = writeSafetensors(tensors, new Map([["key", 'va"lue']]));
    const read = readSafetensors(bytes);
    expect([...read.tensors.keys()]).toEqual(["longs", "a", "z", "halves", "bytes"]);
    expect(read.metadata.get("key")).toBe('va"lue');
    for (const [, { bytes: data, dtype }] of read.tensors)
      expect(data.byteOffset % { I64: 8, F32: 4, F16: 2, U8: 1 }[dtype as string]!).toBe(0);
    expect(looksLikeSafetensors(bytes)).toBe(true);
    expect(looksLikeSafetensors(Uint8Array.of(8, 1, 2))).toBe(false);
  });

  it("does not depend on the order it is given", () => {
    const list = [
      ["b", ofBytes("U8", [1], 1)],
      ["a", ofBytes("U8", [2], 2)],
      ["12", ofBytes("U8", [2], 2)],
    ] as const;
    expect(writeSafetensors(new Map(list))).toEqual(writeSafetensors(new Map(list.toReversed())));
  });

  it("refuses a tensor whose bytes are not its shape's, and the reserved name", () => {
    expect(() => writeSafetensors(new Map([["a", ofBytes("F32", [2], 4)]]))).toThrow(FormatError);
    expect(() => writeSafetensors(new Map([["__metadata__", ofBytes("U8", [1], 1)]]))).toThrow(FormatError);
  });

  it("survives a round trip of random tensors", () => {
    for (let seed = 1; seed <= 50; seed++) {
      const random = new RandomData(seed);
      const count = random.between(0, 9);
      const tensors = new Map(
        Array.from({ length: count }, (_, i) => {
          const shape = Array.from({ length: random.between(0, 3) }, () => random.between(0, 4));
          const size = shape.reduce((a, b) => a * b, 1);
          const [dtype, width] = random.pick([
            ["U8", 1],
            ["F16", 2],
            ["F32", 4],
            ["I64", 8],
          ] as const);
          return [`tensor "${i}" é`, { dtype, shape, bytes: random.bytes(size * width) }] as const;
        }),
      );
      const read = readSafetensors(writeSafetensors(tensors)).tensors;
      expect(new Map([...read].sort())).toEqual(new Map([...tensors].sort()));
    }
  });
});
