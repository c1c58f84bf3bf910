import { fromBinary, ModelProtoSchema } from "@lowbit/convert/onnx";
import { beforeAll, describe, expect, it } from "vitest";
import { startEngine } from "../src/autograd.ts";
import { logitsOf } from "../src/evaluate.ts";
import { alignToIntegers } from "../src/frozen/align.ts";
import type { FrozenLayer } from "../src/frozen/layers.ts";
import { compileFrozen } from "../src/frozen/run.ts";
import { recipeOf } from "../src/main.ts";
import { Model } from "../src/model.ts";
import { encodeOnnx, toOnnx } from "../src/onnx/export.ts";
import { fit } from "../src/train.ts";
import type { HostTensor } from "../src/values.ts";
import { onnxLogits, syntheticDigits, tinyRecipe } from "./fixtures.ts";

const validation = syntheticDigits(40, 2);

/** A network's file and the logits that it must have. */
interface Case {
  readonly bytes: Uint8Array;
  readonly logits: Float32Array;
}

const cases = new Map<string, Case>();

function addCase(name: string, layers: readonly FrozenLayer[]): void {
  const bytes = encodeOnnx(toOnnx(layers, name, { recipe: name }));
  cases.set(name, { bytes, logits: logitsOf(validation, compileFrozen(layers)) });
}

/** The float CNN as it is before training. */
function untrainedFloat(): FrozenLayer[] {
  const model = new Model(recipeOf("mnist-cnn-float").layers());
  const tensors: Record<string, HostTensor> = {};
  for (const [key, tensor] of Object.entries(model.initialize(1))) {
    const [section, name] = key.split("/") as [string, string];
    if (section === "parameter" || section === "statistics") tensors[name] = tensor;
  }
  return model.freeze(tensors);
}

// All training comes before the first session: in Node, onnxruntime-web defines a global Worker, which makes the training
// engine want shared memory.
beforeAll(async () => {
  await startEngine();
  addCase("float", untrainedFloat());
  for (const scheme of ["binary", "ternary"] as const) {
    const recipe = tinyRecipe(scheme, 2);
    const { tensors } = await fit(recipe, { training: syntheticDigits(100, 1), validation, seed: 6 });
    addCase(scheme, alignToIntegers(new Model(recipe.layers()).freeze(tensors)));
  }
});

describe("toOnnx", () => {
  it.each(["float", "binary", "ternary"])(
    "means the frozen %s network: onnxruntime computes its logits",
    async (name) => {
      const { bytes, logits } = cases.get(name)!;
      const theirs = await onnxLogits(bytes, validation);
      expect(theirs.length).toBe(400);
      const largest = logits.reduce((most, x) => Math.max(most, Math.abs(x)), 0);
      const worst = logits.reduce((most, x, i) => Math.max(most, Math.abs(x - theirs[i]!)), 0);
      expect(worst).toBeLessThanOrEqual(1e-5 * largest);
    },
  );

  it.each([
    [
      "float",
      "Sub Div Conv BatchNormalization Relu MaxPool Conv BatchNormalization Relu MaxPool Flatten Gemm Relu Gemm",
    ],
    [
      "binary",
      "QuantizeLinear DequantizeLinear Conv MaxPool BatchNormalization Sign Pad Conv MaxPool BatchNormalization Sign " +
        "Flatten Gemm BatchNormalization",
    ],
  ])("writes the %s network in standard operators, with a free batch size", (name, operators) => {
    const { graph, opsetImport, metadataProps } = fromBinary(ModelProtoSchema, cases.get(name)!.bytes);
    expect(graph?.node.map((node) => node.opType).join(" ")).toBe(operators);
    expect(opsetImport[0]?.version).toBe(13n);
    expect(metadataProps[0]?.value).toBe(name);
    const type = graph?.input[0]?.type?.value;
    const dim = type?.case === "tensorType" ? type.value.shape?.dim : undefined;
    expect(dim?.map(({ value }) => value.value)).toEqual(["N", 1n, 28n, 28n]);
  });
});
