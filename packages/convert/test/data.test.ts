import fc from "fast-check";
import { gzipSync, zipSync } from "fflate";
import { Tensor } from "lowbit";
import { describe, expect, test } from "vitest";
import { FileError, readIdx, readNpy, readNpz, writeNpy, writeNpz } from "../src/index.ts";

/** An .npy file with this header text and these bytes. */
function npy(header: string, data: Uint8Array): Uint8Array {
  const text = new TextEncoder().encode(`${header.padEnd(117)}\n`);
  return Uint8Array.from([
    0x93,
    ...new TextEncoder().encode("NUMPY"),
    1,
    0,
    text.length & 255,
    text.length >> 8,
    ...text,
    ...data,
  ]);
}

const raw = (array: ArrayBufferView) => new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
const header = (descr: string, shape: string, fortran = "False") =>
  `{'descr': '${descr}', 'fortran_order': ${fortran}, 'shape': ${shape}, }`;

describe("npy", () => {
  test.each([
    ["<f4", Float32Array.of(1, 2, 3, 4), "f32", [1, 2, 3, 4]],
    ["<f8", Float64Array.of(1, 2, 3, 4), "f32", [1, 2, 3, 4]],
    ["<f2", Uint16Array.of(0x3c00, 0x4000, 0, 0x8000), "f32", [1, 2, 0, -0]],
    ["|i1", Int8Array.of(-1, 2, 3, 4), "int8", [-1, 2, 3, 4]],
    ["|u1", Uint8Array.of(255, 2, 3, 4), "uint8", [255, 2, 3, 4]],
    ["<i2", Int16Array.of(-1, 2, 3, 4), "int32", [-1, 2, 3, 4]],
    ["<i4", Int32Array.of(-1, 2, 3, 4), "int32", [-1, 2, 3, 4]],
    ["<i8", BigInt64Array.of(-1n, 2n, 3n, 4n), "int64", [-1n, 2n, 3n, 4n]],
    ["|b1", Uint8Array.of(0, 1, 1, 0), "bool", [0, 1, 1, 0]],
  ])("type %s", (descr, array, dtype, values) => {
    const tensor = readNpy(npy(header(descr, "(2, 2)"), raw(array)));
    expect([tensor.dtype, tensor.shape, [...tensor.data]]).toEqual([dtype, [2, 2], values]);
  });

  test("Fortran order becomes row-major", () => {
    const columns = Float32Array.of(1, 4, 2, 5, 3, 6);
    expect([...readNpy(npy(header("<f4", "(2, 3)", "True"), raw(columns))).data]).toEqual([1, 2, 3, 4, 5, 6]);
  });

  test("what is written is read back", () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 0, max: 4 }), { maxLength: 4 }),
        fc.constantFrom("f32", "int8", "uint8", "int32", "int64", "bool"),
        (shape, dtype) => {
          const tensor = new Tensor(dtype, shape);
          tensor.data.forEach((_, i) => {
            tensor.data[i] = (dtype === "int64" ? BigInt(i) : i % 2) as never;
          });
          const back = readNpy(writeNpy(tensor));
          expect([back.dtype, back.shape, back.data]).toEqual([dtype, shape, tensor.data]);
        },
      ),
      { seed: 1 },
    );
  });

  test.each([
    ["nothing", new Uint8Array(0)],
    ["another file", new TextEncoder().encode("PK not an array at all")],
    ["a header longer than the file", npy(header("<f4", "(2,)"), raw(Float32Array.of(1, 2))).fill(0xff, 8, 10)],
    ["too few elements", npy(header("<f4", "(1000000000,)"), raw(Float32Array.of(1)))],
    ["too many elements", npy(header("<f4", "(1,)"), raw(Float32Array.of(1, 2)))],
    ["half an element", npy(header("<f4", "(1,)"), new Uint8Array(3))],
    ["a product beyond 2^53", npy(header("<f4", "(9007199254740993, 4)"), raw(Float32Array.of(1)))],
    ["a negative size", npy(header("<f4", "(-1,)"), raw(Float32Array.of(1)))],
    ["no number as a size", npy(header("<f4", "(x,)"), raw(Float32Array.of(1)))],
    ["big-endian floats", npy(header(">f4", "(1,)"), raw(Float32Array.of(1)))],
    ["complex numbers", npy(header("<c8", "(1,)"), raw(Float32Array.of(1, 2)))],
    ["text", npy(header("<U4", "(1,)"), new Uint8Array(16))],
    ["pickled objects", npy(header("|O", "(1,)"), new Uint8Array(16))],
  ])("%s is refused by name", (_, bytes) => {
    expect(() => readNpy(bytes)).toThrow(FileError);
  });
});

describe("npz", () => {
  const x = new Tensor("f32", [2, 2], Float32Array.of(1, 2, 3, 4));
  const y = new Tensor("int64", [2], BigInt64Array.of(5n, 6n));

  test("arrays by name, stored and deflated; the same arrays are the same bytes", () => {
    const bytes = writeNpz(
      new Map<string, Tensor>([
        ["x", x],
        ["y", y],
      ]),
    );
    expect(bytes).toEqual(
      writeNpz(
        new Map<string, Tensor>([
          ["x", x],
          ["y", y],
        ]),
      ),
    );
    expect(readNpz(bytes)).toEqual(
      new Map<string, Tensor>([
        ["x", x],
        ["y", y],
      ]),
    );
    expect([...readNpz(bytes, ["y"]).keys()]).toEqual(["y"]);
    expect(readNpz(zipSync({ "x.npy": writeNpy(x), "readme.txt": new Uint8Array(3) }, { level: 9 }))).toEqual(
      new Map([["x", x]]),
    );
  });

  test("a directory that announces gigabytes is refused before they are allocated", () => {
    const bytes = zipSync({ "x.npy": writeNpy(x) }, { level: 9 });
    const at = bytes.findIndex(
      (_, i) => bytes[i] === 0x50 && bytes[i + 1] === 0x4b && bytes[i + 2] === 1 && bytes[i + 3] === 2,
    );
    new DataView(bytes.buffer).setUint32(at + 24, 0x7fff_ffff, true);
    expect(() => readNpz(bytes)).toThrow(/inflated size/);
  });

  test("truncated at every byte, flipped at every byte: a named error or the arrays", () => {
    const bytes = writeNpz(new Map([["x", x]]));
    for (let i = 0; i < bytes.length; i++) {
      for (const broken of [bytes.slice(0, i), bytes.map((byte, j) => (j === i ? byte ^ 0xff : byte))]) {
        try {
          readNpz(broken);
        } catch (error) {
          expect(error).toBeInstanceOf(FileError);
        }
      }
    }
  });
});

describe("idx", () => {
  const images = Uint8Array.of(0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0, 2, 1, 2, 3, 4);

  test("plain and gzipped", () => {
    for (const bytes of [images, gzipSync(images)]) {
      const { dtype, shape, data } = readIdx(bytes);
      expect([dtype, shape, [...data]]).toEqual(["uint8", [2, 1, 2], [1, 2, 3, 4]]);
    }
  });

  test("floats are big-endian", () => {
    const bytes = Uint8Array.of(0, 0, 13, 1, 0, 0, 0, 1, 0x3f, 0x80, 0, 0);
    expect([...readIdx(bytes).data]).toEqual([1]);
  });

  test.each([
    ["nothing", new Uint8Array(0)],
    ["another magic", Uint8Array.of(1, 0, 8, 1, 0, 0, 0, 0)],
    ["an unknown type", Uint8Array.of(0, 0, 7, 1, 0, 0, 0, 0)],
    ["rank 0", Uint8Array.of(0, 0, 8, 0)],
    ["a header cut short", images.slice(0, 9)],
    ["data cut short", images.slice(0, -1)],
    ["sizes that wrap around 2^32", Uint8Array.of(0, 0, 8, 2, 0, 1, 0, 0, 0, 1, 0, 0)],
    ["gzip that announces 4 GB", gzipSync(images).fill(0xff, -4)],
    ["gzip cut short", gzipSync(images).slice(0, -10)],
  ])("%s is refused by name", (_, bytes) => {
    expect(() => readIdx(bytes)).toThrow(FileError);
  });
});
