import { createModel, Tensor } from "lowbit";
import { test } from "vitest";
import { importModel, runPasses } from "../src/index.ts";
import { fromBinary, ModelProtoSchema, type TensorProto, TensorProtoSchema } from "../src/onnx/schema.ts";
import { readTensor } from "../src/onnx/tensor.ts";
import { readData } from "./support/data.ts";
import { untar } from "./support/tar.ts";

const wanted =
  /^test_(averagepool|maxpool|basic_conv|conv|batchnorm|dequantize|quantize|dynamicquantizelinear(_max_adjusted|_min_adjusted)?$|gemm|globala|globalm|matmul|qlinear|resize|convtr)/;
const asTensor = (proto: TensorProto) => {
  const { dtype, shape, data } = readTensor(proto, "test");
  return new Tensor(dtype, shape, data);
};

test("nn", async () => {
  const files = untar(readData("onnx-node-tests.tar.gz"));
  let passed = 0;
  const kernels = new Map<string, number>();
  for (const [path, bytes] of files) {
    const name = /(test_[^/]+)\/model\.onnx$/.exec(path)?.[1];
    if (!name || !wanted.test(name)) continue;
    const folder = path.slice(0, -"model.onnx".length);
    const tensors = (kind: string) => {
      const list: TensorProto[] = [];
      for (let i = 0; ; i++) {
        const file = files.get(`${folder}test_data_set_0/${kind}_${i}.pb`);
        if (!file) return list;
        list.push(fromBinary(TensorProtoSchema, file));
      }
    };
    try {
      const graph = runPasses(importModel(bytes));
      const names = fromBinary(ModelProtoSchema, bytes).graph!.input.map((i) => i.name);
      const given = tensors("input");
      const feed = Object.fromEntries(
        names.map((n, i) => [n, asTensor(given[i]!)]).filter(([n]) => graph.inputs.includes(n as string)),
      );
      const model = await createModel(graph, { tier: "simd128" });
      const out = await model.run(feed);
      const profile = await model.profile(feed, { runs: 1 });
      for (const { kernel } of profile.nodes) kernels.set(kernel, (kernels.get(kernel) ?? 0) + 1);
      model.dispose();
      const bad: string[] = [];
      for (const [i, e] of tensors("output").entries()) {
        const expected = asTensor(e);
        const got = out[graph.outputs[i]!]!;
        if (got.shape.join() !== expected.shape.join()) {
          bad.push(`shape ${got.shape} for ${expected.shape}`);
          continue;
        }
        if (got.dtype !== expected.dtype) bad.push(`dtype ${got.dtype} for ${expected.dtype}`);
        const [a, b] = [
          Array.from(got.data as Float32Array, Number),
          Array.from(expected.data as Float32Array, Number),
        ];
        const integer = expected.dtype !== "f32";
        const off = b.findIndex(
          (v, k) => !(integer ? v === a[k] : Math.abs(a[k]! - v) <= 1e-7 + 1e-3 * Math.abs(v) || a[k] === v),
        );
        if (off >= 0)
          bad.push(`out ${i} at ${off}: ${a[off]} for ${b[off]}; all ${a.slice(0, 12)} for ${b.slice(0, 12)}`);
      }
      if (bad.length) console.log("WRONG", name, bad.join("; "));
      else passed++;
    } catch (error) {
      console.log("FAIL", name, String((error as Error).stack).slice(0, 400));
    }
  }
  console.log("PASSED", passed, [...kernels].join(" "));
}, 300000);
