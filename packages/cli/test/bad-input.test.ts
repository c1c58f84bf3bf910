/** Whatever is wrong, the command says so in one line, exits with 2, and leaves nothing behind. */

import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { changedModel, DIGITS, FLOAT, flipped, newFolder, written } from "./files.ts";
import { lowbit } from "./lowbit.ts";

const folder = newFolder();
const packed = join(folder, "packed.safetensors");
const out = join(folder, "out", "out.safetensors");

beforeAll(async () => {
  mkdirSync(join(folder, "out"));
  expect(await lowbit("convert", FLOAT, "-o", packed)).toMatchObject({ code: 0 });
});

/** Runs a command that must fail; the message holds `words`, the folder of outputs stays empty. */
async function refused(words: string | RegExp, ...args: string[]): Promise<void> {
  const { code, stderr } = await lowbit(...args);
  expect(stderr).toMatch(/^lowbit: [^\n]+\n$/);
  expect(stderr).toMatch(words);
  expect(stderr).not.toMatch(/\n\s+at |internal|undefined|is not a function/);
  expect(code).toBe(2);
  expect(readdirSync(join(folder, "out"))).toEqual([]);
}

const float = readFileSync(FLOAT);
/** Little-endian float NaN at the first weights of the second convolution. */
const nanWeights = () =>
  changedModel(folder, "nan.onnx", ({ graph }) => {
    const weight = graph?.initializer.find((tensor) => tensor.name === "conv2.weight");
    if (!weight) throw new Error("the network has no conv2.weight");
    const raw = weight.rawData.slice();
    raw.set([0, 0, 192, 127], 4);
    weight.rawData = raw;
  });

describe("model files", () => {
  it.each([
    ["missing", () => join(folder, "nowhere.onnx"), "no such file"],
    ["a folder", () => folder, "is a folder"],
    ["empty", () => written(folder, "empty.onnx", ""), "the file is empty"],
    ["text", () => written(folder, "text.onnx", "this is no model at all, only words"), /onnx/i],
    ["half of an ONNX file", () => written(folder, "half.onnx", float.subarray(0, float.length >> 1)), /onnx/i],
    ["an ONNX file without its last byte", () => written(folder, "cut.onnx", float.subarray(0, -1)), /onnx/i],
    [
      "cyclic",
      () =>
        changedModel(folder, "cyclic.onnx", ({ graph }) => {
          const [first, last] = [graph?.node[2], graph?.node.at(-1)];
          if (first && last) first.input[0] = last.output[0] ?? "";
        }),
      /cycle/,
    ],
    [
      "of two unsupported operators, both named",
      () =>
        changedModel(folder, "unsupported.onnx", ({ graph }) => {
          for (const node of graph?.node ?? [])
            if (node.opType === "Relu") node.opType = node.name === "relu1" ? "Fancy" : "Odd";
        }),
      /3 nodes.*Fancy \(relu1\).*Odd \(relu2, relu3\)/,
    ],
    [
      "of a weight whose shape lies",
      () =>
        changedModel(folder, "shape.onnx", ({ graph }) => {
          const weight = graph?.initializer.find((tensor) => tensor.name === "conv2.weight");
          if (weight) weight.dims = [1_000_000n, 1_000_000n, 3n, 3n];
        }),
      /conv2\.weight/,
    ],
    [
      "of weights of a wrong type",
      () =>
        changedModel(folder, "type.onnx", ({ graph }) => {
          const weight = graph?.initializer.find((tensor) => tensor.name === "conv2.weight");
          if (weight) weight.dataType = 8;
        }),
      /conv2\.weight/,
    ],
  ])("%s", async (_, make, words) => {
    const path = make();
    await refused(words, "convert", path, "-o", out);
    await refused(path, "convert", path, "-o", out);
  });

  it("NaN weights are named by their layer", () =>
    refused(/conv2/, "quantize", nanWeights(), "-o", out, "--weights", "int8"));
});

describe("packed files", () => {
  const sizes = { header: 8, middle: 200_000 };
  it.each([
    ["a flipped bit in a weight", () => flipped(folder, "bit.safetensors", packed, -1000), /SHA-256/],
    ["a flipped bit in the metadata", () => flipped(folder, "meta.safetensors", packed, sizes.header + 60), /.+/],
    ["a flipped bit in the header's length", () => flipped(folder, "length.safetensors", packed, 1), /.+/],
    [
      "cut off",
      () => {
        const path = written(folder, "cut.safetensors", readFileSync(packed));
        truncateSync(path, sizes.middle);
        return path;
      },
      /end of tensor|truncated/,
    ],
    [
      "a header longer than the file",
      () => written(folder, "long.safetensors", Uint8Array.of(255, 255, 255, 0, 0, 0, 0, 0, 123, 125)),
      /.+/,
    ],
  ])("%s", async (_, make, words) => {
    const path = make();
    await refused(words, "inspect", path);
    await refused(path, "dequantize", path, "-o", out);
  });
});

describe("arrays", () => {
  const run = (input: string) => ["run", FLOAT, "--input", input, "-o", join(folder, "out", "y.npy")];
  const npy = (header: string, data: Uint8Array) => {
    const text = `${header}${" ".repeat(117 - header.length)}\n`;
    return Buffer.concat([Buffer.from([0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, 1, 0, 118, 0]), Buffer.from(text), data]);
  };
  it.each([
    ["no array", () => written(folder, "no.npy", "no array here"), /npy|NumPy/i],
    [
      "cut off",
      () =>
        written(
          folder,
          "cut.npy",
          npy("{'descr': '<f4', 'fortran_order': False, 'shape': (1, 1, 28, 28), }", new Uint8Array(100)),
        ),
      /npy/i,
    ],
    [
      "of a wrong shape",
      () =>
        written(
          folder,
          "shape.npy",
          npy("{'descr': '<f4', 'fortran_order': False, 'shape': (1, 3, 8, 8), }", new Uint8Array(768)),
        ),
      /shape/,
    ],
    [
      "of text",
      () =>
        written(
          folder,
          "text.npy",
          npy("{'descr': '<U4', 'fortran_order': False, 'shape': (1,), }", new Uint8Array(16)),
        ),
      /npy/i,
    ],
    ["a damaged zip", () => written(folder, "cut.npz", readFileSync(DIGITS).subarray(0, 5000)), /zip/],
  ])("%s", async (_, make, words) => {
    const path = make();
    await refused(words, ...run(path));
    await refused(/lowbit:/, "eval", FLOAT, "--data", path);
  });

  it("an .npz without labels", () =>
    refused(
      /expected arrays x .* and y/,
      "eval",
      FLOAT,
      "--data",
      written(
        folder,
        "x.npy",
        npy("{'descr': '<f4', 'fortran_order': False, 'shape': (1, 1, 28, 28), }", new Uint8Array(3136)),
      ),
    ));
});

describe("outputs", () => {
  it("OUT equal to IN", async () => {
    const before = readFileSync(packed);
    await refused("would overwrite the input", "quantize", packed, "-o", packed, "--weights", "int8");
    await refused(
      "would overwrite the input",
      "dequantize",
      packed,
      "-o",
      join(folder, ".", "out", "..", "packed.safetensors"),
    );
    expect(readFileSync(packed).equals(before)).toBe(true);
  });

  it("a folder that does not exist, is a file, or cannot be written", async () => {
    await refused(/no such file or folder/, "convert", FLOAT, "-o", join(folder, "nowhere", "o.safetensors"));
    await refused(/is not a folder|a part of the path/, "convert", FLOAT, "-o", join(packed, "o.safetensors"));
    await refused(/is a folder/, "convert", FLOAT, "-o", folder);
    if (existsSync("/proc/self")) await refused(/\/proc/, "convert", FLOAT, "-o", "/proc/o.safetensors");
  });

  it.skipIf(!existsSync("/dev/full"))("a full disk (needs /dev/full)", async () => {
    await refused("/dev/full: no space left", "convert", FLOAT, "-o", "/dev/full");
    expect(statSync("/dev/full").isCharacterDevice()).toBe(true);
  });

  it("an existing output survives a failed command", async () => {
    const kept = join(folder, "kept.safetensors");
    writeFileSync(kept, "old");
    await refused(/conv2/, "quantize", nanWeights(), "-o", kept, "--weights", "int8");
    expect(readFileSync(kept, "utf8")).toBe("old");
  });
});

describe("usage", () => {
  it.each([
    ["an unknown command", ["frobnicate"], /no command "frobnicate"/],
    ["an unknown option", ["inspect", FLOAT, "--frob"], /--frob.*see lowbit inspect --help/],
    ["no file", ["inspect"], /FILE is missing/],
    ["no output", ["convert", FLOAT], /--output is missing/],
    ["an unknown scheme", ["quantize", FLOAT, "-o", out, "--weights", "int9000"], /int9000/],
    ["a scheme without its number", ["quantize", FLOAT, "-o", out, "--weights", "kmeans"], /kmeans/],
    ["a layer rule without a scheme", ["quantize", FLOAT, "-o", out, "--layer", "conv1"], /glob=scheme/],
    ["a layer rule that matches nothing", ["quantize", FLOAT, "-o", out, "--layer", "nothing*=int8"], /nothing\*/],
    ["a number that is none", ["quantize", FLOAT, "-o", out, "--min-sqnr", "loud"], /--min-sqnr/],
    ["integer activations without samples", ["quantize", FLOAT, "-o", out, "--activations", "int8"], /--calibrate/],
    ["cut ranges without samples", ["quantize", FLOAT, "-o", out, "--activations", "int8:kl"], /--calibrate/],
    [
      "activations that are none",
      ["quantize", FLOAT, "-o", out, "--activations", "int8:max"],
      /int8:kl, int8:mse or int8:dynamic/,
    ],
    ["an unknown method", ["quantize", FLOAT, "-o", out, "--weights", "int4", "--method", "magic"], /one of gptq, ada/],
    ["a method without weights", ["quantize", FLOAT, "-o", out, "--method", "gptq"], /--method needs --weights/],
    [
      "a method that looks at inputs",
      ["quantize", FLOAT, "-o", out, "--weights", "int4", "--method", "awq"],
      /samples/,
    ],
    ["an unknown rescaling", ["quantize", FLOAT, "-o", out, "--rescale", "cle"], /expected equalize, smooth\[/],
    ["a rescaling without samples", ["quantize", FLOAT, "-o", out, "--weights", "int4", "--rescale", "awq"], /samples/],
    ["an unknown tier", ["run", FLOAT, "--input", DIGITS, "--tier", "warp"], /--tier/],
    ["no threads", ["run", FLOAT, "--input", DIGITS, "--threads", "0"], /--threads: expected 1 to 64, got "0"/],
    ["an unknown recipe", ["train", "alchemy", "--data", folder, "-o", join(folder, "out", "a.onnx")], /alchemy/],
    ["a pair of one file too many", ["eval", FLOAT, "--data", "a,b,c"], /--data/],
  ])("%s", (_, args, words) => refused(words, ...args));
});
