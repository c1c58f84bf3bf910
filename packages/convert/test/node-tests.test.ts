/** The ONNX project's own node tests, for every operator that is imported: file, inputs, expected outputs. */
import { Tensor, UnsupportedError } from "lowbit";
import { describe, expect, test } from "vitest";
import { runReference } from "../../core/src/testing/reference.ts";
import { importModel, ModelFileError, runPasses } from "../src/index.ts";
import { fromBinary, ModelProtoSchema, type TensorProto, TensorProtoSchema, toBinary } from "../src/onnx/schema.ts";
import { readTensor } from "../src/onnx/tensor.ts";
import { hasData, readData } from "./support/data.ts";
import { untar } from "./support/tar.ts";

const ARCHIVE = "onnx-node-tests.tar.gz";

interface Case {
  readonly model: Uint8Array;
  readonly inputs: TensorProto[];
  readonly outputs: TensorProto[];
}

function readCases(): Map<string, Case> {
  const files = untar(readData(ARCHIVE));
  const cases = new Map<string, Case>();
  for (const [path, model] of files) {
    const name = /(test_[^/]+)\/model\.onnx$/.exec(path)?.[1];
    if (name === undefined) continue;
    const folder = path.slice(0, -"model.onnx".length);
    const tensors = (kind: string) => {
      const list: TensorProto[] = [];
      for (let i = 0; ; i++) {
        const file = files.get(`${folder}test_data_set_0/${kind}_${i}.pb`);
        if (file === undefined) return list;
        list.push(fromBinary(TensorProtoSchema, file));
      }
    };
    cases.set(name, { model, inputs: tensors("input"), outputs: tensors("output") });
  }
  return cases;
}

/**
 * Everything but the first input becomes an initializer: weights and shapes are constants in networks, and inputs in
 * these tests.
 */
function withConstants({ model, inputs }: Case): Uint8Array {
  const proto = fromBinary(ModelProtoSchema, model);
  const names = proto.graph!.input.map(({ name }) => name);
  inputs.slice(1).forEach((tensor, index) => {
    tensor.name = names[index + 1]!;
    proto.graph!.initializer.push(tensor);
  });
  return toBinary(ModelProtoSchema, proto);
}

const asTensor = (proto: TensorProto) => {
  const { dtype, shape, data } = readTensor(proto, "test");
  return new Tensor(dtype, shape, data);
};

/** Legal ONNX that is refused on reading: operator sets before 7, sequences, optionals and strings. */
const REFUSED = [
  ...["globalaveragepool", "globalaveragepool_precomputed", "globalmaxpool", "globalmaxpool_precomputed"],
  ...[
    "hardsigmoid",
    "hardsigmoid_default",
    "hardsigmoid_example",
    "cast_STRING_to_FLOAT",
    "identity_opt",
    "identity_sequence",
  ],
].map((name) => `test_${name}`);

/**
 * Why an import is legitimately refused, or the largest difference of an output, relative to the largest expected
 * value.
 */
function outcome(test: Case): string | number {
  const bytes = withConstants(test);
  try {
    const graph = runPasses(importModel(bytes));
    const feed = Object.fromEntries(graph.inputs.map((name) => [name, asTensor(test.inputs[0]!)]));
    const results = runReference(graph, feed);
    return Math.max(
      ...graph.outputs.map((name, index) => {
        const expected = asTensor(test.outputs[index]!);
        const got = results[name]!;
        if (expected.shape.join() !== got.shape.join()) return Number.POSITIVE_INFINITY;
        const scale = Math.max(1, ...Array.from(expected.data as Float32Array, (value) => Math.abs(Number(value))));
        const differences = Array.from(expected.data as Float32Array, (value, i) =>
          Math.abs(Number(value) - Number(got.data[i])),
        );
        return Math.max(0, ...differences) / scale;
      }),
    );
  } catch (error) {
    if (error instanceof UnsupportedError) return "unsupported";
    if (error instanceof ModelFileError) return "refused";
    throw error;
  }
}

/**
 * Expected outputs that onnxruntime does not give either: products that wrap where a saturation is defined, and corners of a shrunken image that are aligned by scale
 * times size instead of the size that was rounded.
 */
const NOT_CONFIRMED = [
  ...["2D_int8_float16", "2D_int8_float32", "3D_int8_float16", "3D_int8_float32"].map(
    (name) => `qlinearmatmul_${name}`,
  ),
  ...["cubic", "linear"].map((mode) => `resize_downsample_scales_${mode}_align_corners`),
].map((name) => `test_${name}`);

describe("ONNX node tests", () => {
  test.skipIf(!hasData(ARCHIVE))("every one that imports gives the expected outputs (needs shared/data)", () => {
    const wrong: string[] = [];
    const refused: string[] = [];
    let passed = 0;
    for (const [name, case_] of readCases()) {
      let result: string | number;
      try {
        result = outcome(case_);
      } catch (error) {
        result = String(error);
      }
      if (result === "unsupported" || NOT_CONFIRMED.includes(name)) continue;
      // Half precision is not imitated: its own rounding is the difference.
      const tolerance = name.includes("FLOAT16") ? 2 ** -11 : 1e-5;
      if (result === "refused") refused.push(name);
      else if (typeof result === "number" && result <= tolerance) passed++;
      else wrong.push(`${name}: ${result}`);
    }
    expect(wrong).toEqual([]);
    expect(refused.sort()).toEqual(REFUSED.sort());
    expect(passed).toBeGreaterThanOrEqual(100);
  });
});
