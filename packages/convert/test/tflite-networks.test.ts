/** Trained TFLite networks against LiteRT's reference kernels. */
import jpeg from "jpeg-js";
import { createModel, type Graph, type Model, Tensor } from "lowbit";
import { describe, expect, test } from "vitest";
import { importModel, type Rounding, readModel, runPasses, writeModel } from "../src/index.ts";
import golden from "./golden/tflite-networks.json" with { type: "json" };
import { hasData, readData } from "./support/data.ts";

/** The upper bytes of a linear congruential generator, which make-tflite.py makes too. */
function noise(seed: number, count: number): Uint8Array {
  let state = seed;
  return Uint8Array.from({ length: count }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state >>> 24;
  });
}

const bytesOf = (base64: string): Uint8Array<ArrayBuffer> => new Uint8Array(Buffer.from(base64, "base64"));

const imported = (file: string, rounding: Rounding = "nearest"): Graph =>
  runPasses(importModel(readData(file), { rounding }));

describe.skipIf(!hasData("mlperf-tiny"))("ResNet-8 of MLPerf Tiny (needs shared/data)", () => {
  test("float: within 1e-4 of LiteRT, relative, and the same from a packed file", async () => {
    const { source, count, y } = golden["resnet-8"];
    const graph = imported(source);
    const wanted = new Float32Array(bytesOf(y).buffer);
    for (const each of [graph, readModel(writeModel(graph)).graph]) {
      using model = await createModel(each);
      for (let seed = 0; seed < count; seed++) {
        const x = new Tensor("f32", [1, 32, 32, 3], Float32Array.from(noise(seed, 3072)));
        const { Identity } = await model.run({ input_1: x });
        for (let i = 0; i < 10; i++) {
          const want = wanted[10 * seed + i]!;
          expect(Math.abs((Identity!.data as Float32Array)[i]! - want)).toBeLessThanOrEqual(1e-4 * want + 1e-9);
        }
      }
    }
  });

  test("int8, rounded as the reference does: every code is LiteRT's, and the same from a packed file", async () => {
    const { source, count, y } = golden["resnet-8 int8"];
    const graph = imported(source, "reference");
    const wanted = new Int8Array(bytesOf(y).buffer);
    for (const each of [graph, readModel(writeModel(graph)).graph]) {
      using model = await createModel(each);
      for (let seed = 0; seed < count; seed++) {
        const pixels = Int8Array.from(noise(seed, 3072), (byte) => byte - 128);
        const [got] = Object.values(
          await model.run({ [graph.inputs[0]!]: new Tensor("int8", [1, 32, 32, 3], pixels) }),
        );
        expect(Array.from(got!.data as Int8Array), `image ${seed}`).toEqual(
          Array.from(wanted.subarray(10 * seed, 10 * seed + 10)),
        );
      }
    }
  });

  test("a batch that the file leaves open stays open", () => {
    const graph = imported(golden["resnet-8"].source);
    expect(graph.values.get("input_1")!.shape).toEqual(["N", 32, 32, 3]);
    expect(graph.values.get("Identity")!.shape).toEqual(["N", 10]);
  });
});

interface Image {
  readonly width: number;
  readonly height: number;
  /** RGB */
  readonly data: Uint8Array;
}

/** The middle of an image, three quarters of its shorter side, as [size, size, 3]: each pixel the mean over its box. */
function middle({ width, height, data }: Image, size: number): Uint8Array {
  const side = Math.floor(0.75 * Math.min(width, height));
  const [left, top] = [(width - side) >> 1, (height - side) >> 1];
  const span = (i: number) => [Math.floor((i * side) / size), Math.ceil(((i + 1) * side) / size)] as const;
  const out = new Uint8Array(size * size * 3);
  for (let y = 0; y < size; y++)
    for (let x = 0; x < size; x++)
      for (let c = 0; c < 3; c++) {
        let sum = 0;
        const [rows, columns] = [span(y), span(x)];
        for (let row = rows[0]; row < rows[1]; row++)
          for (let column = columns[0]; column < columns[1]; column++)
            sum += data[((top + row) * width + left + column) * 3 + c]!;
        out[(y * size + x) * 3 + c] = Math.round(sum / ((rows[1] - rows[0]) * (columns[1] - columns[0])));
      }
  return out;
}

/** An uncompressed Windows bitmap of 24 bits: rows from the bottom up, blue first. */
function decodeBmp(file: Uint8Array): Image {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  const [from, width, height] = [10, 18, 22].map((at) => view.getInt32(at, true)) as [number, number, number];
  expect([view.getUint16(28, true), view.getInt32(30, true)]).toEqual([24, 0]);
  const stride = Math.ceil((3 * width) / 4) * 4;
  const data = new Uint8Array(3 * width * height);
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++)
      for (let c = 0; c < 3; c++)
        data[(y * width + x) * 3 + c] = file[from + (height - 1 - y) * stride + 3 * x + 2 - c]!;
  return { width, height, data };
}

describe.skipIf(!hasData("tflite-coral"))("MobileNet v1 of uint8 (needs shared/data)", () => {
  const { source, count, y } = golden["mobilenet v1 uint8"];

  test("rounded as the reference does: every code is LiteRT's", async () => {
    const wanted = bytesOf(y);
    using model = await createModel(imported(source, "reference"));
    for (let seed = 0; seed < count; seed++) {
      const got = await answer(model, noise(seed, 128 * 128 * 3));
      expect(Array.from(got), `image ${seed}`).toEqual(Array.from(wanted.subarray(1001 * seed, 1001 * (seed + 1))));
    }
  });

  async function answer(model: Model, image: Uint8Array): Promise<Uint8Array> {
    const outputs = await model.run({ input: new Tensor("uint8", [1, 128, 128, 3], image as Uint8Array<ArrayBuffer>) });
    return outputs["MobilenetV1/Predictions/Reshape_1"]!.data as Uint8Array;
  }

  test("bytes in and out, int8 between; depthwise and dense layers on integer kernels", () => {
    const graph = imported(source);
    expect(graph.values.get("input")!.dtype).toBe("uint8");
    expect(graph.values.get(graph.outputs[0]!)!.dtype).toBe("uint8");
    const layers = graph.nodes.filter(({ op }) => op === "conv2d");
    expect(layers.length).toBe(28);
    expect(layers.every(({ outputs }) => graph.values.get(outputs[0]!)!.dtype === "int8")).toBe(true);
  });

  test("the right label for each of the four photos", async () => {
    using model = await createModel(imported(source));
    const labels = new TextDecoder().decode(readData("tflite-coral/imagenet_labels.txt")).split("\n");
    const seen: string[] = [];
    for (const name of ["bird.bmp", "cat.bmp", "hot_dog.jpg", "parrot.jpg"]) {
      const file = readData(`tflite-coral/${name}`);
      const image = name.endsWith(".bmp") ? decodeBmp(file) : jpeg.decode(file, { formatAsRGBA: false });
      const scores = await answer(model, middle(image, 128));
      seen.push(labels[scores.indexOf(Math.max(...scores))]!);
    }
    expect(seen).toEqual(["chickadee", "Egyptian cat", "hotdog, hot dog, red hot", "macaw"]);
  });
});
