/** Every command on the committed float network: what it prints, what it writes, and that the two agree. */

import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { readNpy, readNpz, writeNpy, writeNpz } from "@lowbit/convert";
import { fromBinary, ModelProtoSchema } from "@lowbit/convert/onnx";
import { readSafetensors, Tensor } from "lowbit";
import { describe, expect, it } from "vitest";
import { changedModel, DIGITS, FLOAT, newFolder, written } from "./files.ts";
import { lowbit, lowbitJson } from "./lowbit.ts";

const folder = newFolder();
const path = (name: string) => join(folder, name);

const digits = readNpz(readFileSync(DIGITS));
const [x, y] = [digits.get("x"), digits.get("y")] as [Tensor<"uint8">, Tensor<"uint8">];
/** The first `count` digits. */
const first = (count: number) => new Tensor("uint8", [count, 1, 28, 28], x.data.subarray(0, count * 784));

interface Layers {
  readonly bytes: number;
  readonly bitsPerWeight: number;
  readonly layers: readonly {
    readonly name: string;
    readonly scheme: string;
    readonly sqnr: number;
    readonly cosine: number;
  }[];
}
interface Run {
  readonly ms: number;
  readonly tier: string;
  readonly outputs: readonly { readonly name: string; readonly shape: readonly number[]; readonly sha256: string }[];
}
interface Accuracy {
  readonly top1: number;
  readonly count: number;
  readonly agreement?: number;
}

describe("lowbit", () => {
  it("--help lists the commands, and every command has its own", async () => {
    const { code, stdout } = await lowbit("--help");
    expect(code).toBe(0);
    for (const name of [
      "inspect",
      "convert",
      "quantize",
      "run",
      "eval",
      "compare",
      "dequantize",
      "search",
      "train",
      "types",
    ])
      expect(stdout).toContain(name);
    expect((await lowbit("quantize", "--help")).stdout).toContain("--calibrate");
    expect((await lowbit("--version")).stdout).toMatch(/^\d+\.\d+\.\d+/);
  });
});

describe("inspect", () => {
  it("shows an ONNX file's tensors as the file has them, and its arithmetic", async () => {
    const found = await lowbitJson<Record<string, unknown>>("inspect", FLOAT);
    expect(found).toMatchObject({
      format: "onnx",
      bytes: readFileSync(FLOAT).length,
      macs: { binary: 0, int8: 0, float: 1_117_056 },
    });
    expect(found.tensors).toContainEqual({
      name: "conv2.weight",
      dtype: "f32",
      shape: [32, 16, 3, 3],
      bits: 32,
      size: 4608,
    });
  });
});

describe("convert and run", () => {
  it("a packed model gives the bytes of its source, in every tier", async () => {
    const packed = path("float.safetensors");
    const converted = await lowbitJson<Layers>("convert", FLOAT, "-o", packed);
    expect(converted).toMatchObject({ bytes: readFileSync(packed).length, bitsPerWeight: 32 });
    const input = written(folder, "x.npy", writeNpy(first(3)));
    const digests = new Set<string>();
    for (const [model, tier] of [
      [FLOAT, "simd128"],
      [packed, "simd128"],
      [packed, "scalar"],
    ] as const) {
      const { outputs, tier: used } = await lowbitJson<Run>(
        "run",
        model,
        "--input",
        input,
        "--output",
        path("y.npy"),
        "--tier",
        tier,
      );
      expect(used).toBe(tier);
      expect(outputs).toMatchObject([{ name: "logits", shape: [3, 10] }]);
      digests.add(outputs[0]?.sha256 ?? "");
    }
    expect(digests.size).toBe(1);
    expect(readNpy(readFileSync(path("y.npy")))).toMatchObject({ dtype: "f32", shape: [3, 10] });
  });

  it("takes and writes .npz by name; slices of a long input give the bytes of a short one", async () => {
    const input = written(folder, "x.npz", writeNpz(new Map([["image", first(100)]])));
    await lowbitJson("run", FLOAT, "--input", input, "--output", path("y.npz"));
    const all = readNpz(readFileSync(path("y.npz"))).get("logits");
    const { outputs } = await lowbitJson<Run>(
      "run",
      FLOAT,
      "--input",
      written(folder, "x3.npy", writeNpy(first(3))),
      "-o",
      path("y3.npy"),
    );
    expect(outputs[0]?.shape).toEqual([3, 10]);
    expect([...(all?.data.subarray(0, 30) ?? [])]).toEqual([...readNpy(readFileSync(path("y3.npy"))).data]);
  });

  it("--threads gives the bytes of one thread, and ends", async () => {
    const input = written(folder, "x64.npy", writeNpy(first(64)));
    const one = await lowbitJson<Run>("run", FLOAT, "--input", input);
    const two = await lowbitJson<Run & { readonly threads: number }>("run", FLOAT, "--input", input, "--threads", "2");
    expect(two.threads).toBe(2);
    expect(two.outputs).toEqual(one.outputs);
    expect((await lowbit("run", FLOAT, "--input", input, "--threads", "2")).stdout).toContain("2 threads");
  });

  it("--explain says what the passes did", async () => {
    const { stdout } = await lowbit("convert", FLOAT, "-o", path("explained.safetensors"), "--explain");
    expect(stdout).toMatch(/fold-affine: norm1: .*conv1/);
  });
});

describe("quantize", () => {
  it("int8: table, report, file and JSON agree, and the model does with float", async () => {
    const out = path("int8.safetensors");
    const args = [FLOAT, "-o", out, "--weights", "int8", "--activations", "int8", "--calibrate", DIGITS];
    const { code, stdout } = await lowbit("quantize", ...args, "--report", path("r.html"));
    expect(code).toBe(0);
    for (const name of ["conv1", "conv2", "dense1", "dense2"])
      expect(stdout).toMatch(new RegExp(`${name} +int8 .* dB`));
    expect(readFileSync(path("r.html"), "utf8")).toContain("<svg");
    const bytes = readFileSync(out);
    const json = await lowbitJson<Layers>("quantize", ...args);
    expect(json.bytes).toBe(bytes.length);
    expect(json.bitsPerWeight).toBeGreaterThan(8);
    expect(json.layers.map((l) => l.scheme)).toEqual(["int8", "int8", "int8", "int8"]);
    for (const layer of json.layers) expect(layer.sqnr).toBeGreaterThan(30);
    // Same input, same bytes.
    expect(readFileSync(out).equals(bytes)).toBe(true);
    const { top1, count, agreement } = await lowbitJson<Accuracy>("eval", out, "--data", DIGITS, "--against", FLOAT);
    expect(count).toBe(500);
    expect(top1).toBeGreaterThan(0.98);
    expect(agreement).toBeGreaterThan(0.99);
  });

  it("--method is another way to the bits of --weights, --activations int8:kl another way to ranges", async () => {
    const args = [FLOAT, "--weights", "int4", "--calibrate", DIGITS, "--activations", "int8:kl"];
    const [nearest, adapted] = await Promise.all([
      lowbitJson<Layers>("quantize", ...args, "-o", path("nearest.safetensors")),
      lowbitJson<Layers>("quantize", ...args, "-o", path("adapted.safetensors"), "--method", "gptq"),
    ]);
    expect(adapted.layers.map((l) => l.scheme)).toEqual(Array.from({ length: 4 }, () => "gptq:4"));
    for (const [i, layer] of adapted.layers.entries()) expect(layer.sqnr).toBeGreaterThan(nearest.layers[i]!.sqnr);
  });

  it("--layer: later rules win, float leaves a layer alone", async () => {
    const json = await lowbitJson<Layers>(
      "quantize",
      FLOAT,
      "-o",
      path("mixed.safetensors"),
      "--weights",
      "int8",
      "--layer",
      "dense*=int4",
      "--layer",
      "dense2=float",
    );
    expect(json.layers.map((l) => l.scheme)).toEqual(["int8", "int8", "int4", "float"]);
  });

  it("--pack base3 stores the same ternary network in fewer bytes", async () => {
    const args = ["quantize", FLOAT, "--weights", "ternary", "-o"];
    const [plain, small] = [path("ternary.safetensors"), path("base3.safetensors")];
    const before = await lowbitJson<Layers>(...args, plain);
    const after = await lowbitJson<Layers>(...args, small, "--pack", "base3");
    // 106,000 weights, of which a fifth of two bits is saved.
    expect(before.bytes - after.bytes).toBeGreaterThan(4000);
    expect(after.layers).toEqual(before.layers);
    const accuracy = (file: string) => lowbitJson<Accuracy>("eval", file, "--data", DIGITS);
    expect((await accuracy(small)).top1).toBe((await accuracy(plain)).top1);
    const refused = await lowbit(...args, small, "--pack", "base4");
    expect(refused).toMatchObject({ code: 2, stderr: expect.stringContaining("--pack: expected one of bits, base3") });
  });

  it("without --weights nothing is quantized", async () => {
    const json = await lowbitJson<Layers>("quantize", FLOAT, "-o", path("same.safetensors"));
    expect(json.layers.every((l) => l.scheme === "float" && l.sqnr === 999)).toBe(true);
  });

  it("refuses what its samples show to be broken: exit 1, one line with layer and figure, a report, no file", async () => {
    const out = path("broken.safetensors");
    const { code, stderr } = await lowbit(
      "quantize",
      FLOAT,
      "-o",
      out,
      "--weights",
      "binary",
      "--calibrate",
      DIGITS,
      "--report",
      path("broken.html"),
    );
    expect(code).toBe(1);
    expect(stderr).toMatch(/^lowbit: refused: .*(conv|dense)\d.* dB[^\n]*\n$/);
    expect(existsSync(out)).toBe(false);
    expect(readFileSync(path("broken.html"), "utf8")).toContain("REFUSED");
  });

  it("refuses by --min-sqnr and --max-size alone", async () => {
    const out = path("floors.safetensors");
    const loud = await lowbit("quantize", FLOAT, "-o", out, "--weights", "int4", "--min-sqnr", "40");
    expect(loud).toMatchObject({ code: 1, stderr: expect.stringContaining("40.0 dB") });
    const large = await lowbit("quantize", FLOAT, "-o", out, "--weights", "int8", "--max-size", "50000");
    expect(large).toMatchObject({ code: 1, stderr: expect.stringContaining("50000") });
    expect(existsSync(out)).toBe(false);
  });
});

describe("eval", () => {
  it("reads an IDX pair as it reads an .npz, and images without their channel axis", async () => {
    const idx = (shape: number[], data: Uint8Array) => {
      const header = Buffer.alloc(4 + 4 * shape.length);
      header.set([0, 0, 8, shape.length]);
      for (const [axis, size] of shape.entries()) header.writeUInt32BE(size, 4 + 4 * axis);
      return gzipSync(Buffer.concat([header, data]));
    };
    const images = written(folder, "i.gz", idx([500, 28, 28], x.data));
    const labels = written(folder, "l.gz", idx([500], y.data));
    const pair = await lowbitJson<Accuracy>("eval", FLOAT, "--data", `${images},${labels}`);
    const single = await lowbitJson<Accuracy>("eval", FLOAT, "--data", DIGITS);
    expect(pair).toMatchObject({ top1: single.top1, count: 500 });
    expect(single.top1).toBeGreaterThan(0.98);
  });
});

describe("dequantize", () => {
  /** 10 log10(signal / noise) of all elements. */
  const sqnr = (signal: Float32Array, other: Float32Array) => {
    let [power, noise] = [0, 0];
    for (const [i, value] of signal.entries()) {
      power += value * value;
      noise += (value - (other[i] ?? 0)) ** 2;
    }
    return 10 * Math.log10(power / noise);
  };

  it("writes the floats under the source's names, shapes and order, near the source", async () => {
    // Without batch normalization, which is folded into the weights and so changes them.
    const plain = changedModel(folder, "plain.onnx", ({ graph }) => {
      if (!graph) return;
      graph.node = graph.node.filter((node) => node.opType !== "BatchNormalization");
      for (const node of graph.node)
        if (node.opType === "Relu" && !node.input[0]?.startsWith("dense"))
          node.input[0] = `conv${node.name.slice(-1)}.y`;
      for (const node of graph.node) if (node.opType === "Conv") node.output[0] = `${node.name}.y`;
    });
    await lowbitJson("quantize", plain, "-o", path("d8.safetensors"), "--weights", "int8");
    await lowbitJson("dequantize", path("d8.safetensors"), "-o", path("d.safetensors"));
    const { tensors } = readSafetensors(new Uint8Array(readFileSync(path("d.safetensors"))));
    const { graph } = fromBinary(ModelProtoSchema, readFileSync(FLOAT));
    for (const name of ["conv1.weight", "conv2.weight", "dense1.weight", "dense2.weight", "dense2.bias"]) {
      const source = graph?.initializer.find((tensor) => tensor.name === name);
      const found = tensors.get(name);
      expect(found, name).toMatchObject({ dtype: "F32", shape: source?.dims.map(Number) });
      // A copy: views of a file need not be aligned.
      const floats = (bytes: Uint8Array | undefined) => new Float32Array(Uint8Array.from(bytes ?? []).buffer);
      expect(sqnr(floats(source?.rawData), floats(found?.bytes)), name).toBeGreaterThan(35);
    }
  });
});

describe("types", () => {
  it("writes an interface of inputs and outputs", async () => {
    await lowbitJson("types", FLOAT, "-o", path("digits.d.ts"));
    const text = readFileSync(path("digits.d.ts"), "utf8");
    expect(text).toContain("export interface MnistCnnFloat {");
    expect(text).toMatch(/\[N, 1, 28, 28\] \*\/\s+image: Tensor<"f32">;/);
    expect(text).toMatch(/logits: Tensor<"f32">;/);
  });
});

it("no command leaves a temporary file behind", () =>
  expect(readdirSync(folder).filter((name) => name.endsWith(".tmp"))).toEqual([]));
