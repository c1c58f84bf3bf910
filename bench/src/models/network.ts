/** A whole network as another runtime's model. Its answer is compared with the naive loops over the same weights. */
import type { Case, Tensors } from "../case.ts";
import type { Answer } from "../engine.ts";
import { netOf } from "../networks/index.ts";
import { naiveCodes, naiveReals } from "../networks/naive.ts";
import type { Net, NetValue } from "../networks/net.ts";
import { onnxNetwork } from "../networks/onnx.ts";
import { tfliteNetwork } from "../networks/tflite.ts";
import type { Network } from "../task.ts";
import type { TypedArray } from "../values.ts";
import { type LayerModel, toNchw } from "./layer.ts";

/** In steps of the logits. Runtimes differ in how they round sums of two codes and means, a step at a time. */
const STEPS = 6;
/** Of floats, in standard deviations of the logits. */
const FLOAT_TOLERANCE = 1e-3;

const shifted = (values: Int8Array): Uint8Array => Uint8Array.from(values, (q) => q + 128);

/** The naive answers are minutes of a machine's life together: kept while a case lasts. */
const naive = new WeakMap<Net, Map<string, Float64Array>>();

function naiveAnswer(net: Net, image: Int8Array, format: "fp32" | "int8"): Float64Array {
  const known = naive.get(net) ?? new Map<string, Float64Array>();
  naive.set(net, known);
  const answer = known.get(format) ?? (format === "fp32" ? naiveReals : naiveCodes)(net, image);
  known.set(format, answer);
  return answer;
}

export function networkModel(
  { task, seed }: Case & { readonly task: Network },
  { x }: Tensors,
  file: "tflite" | "onnx",
  format: "fp32" | "int8",
): LayerModel {
  const net = netOf(task, seed);
  const image = x as Int8Array;
  const [first, last] = [net.values[0] as NetValue, net.values.at(-1) as NetValue];
  const isFloat = format === "fp32";
  // onnxruntime's 8-bit activations are uint8 around 128.
  const isUnsigned = file === "onnx" || net.perTensor;
  const reals = (output: TypedArray): Float64Array | Float32Array =>
    isFloat
      ? (output as Float32Array)
      : Float64Array.from(output as Int8Array, (q) => (q - last.zeroPoint - (isUnsigned ? 128 : 0)) * last.step);
  const answer = (output: TypedArray): Answer => ({
    kind: "sums",
    data: reals(output),
    tolerance: isFloat ? FLOAT_TOLERANCE : STEPS * last.step,
    expected: (positions) => {
      const all = naiveAnswer(net, image, format);
      return positions.map((position) => all[position] as number);
    },
  });
  const values = isFloat ? Float32Array.from(image, (q) => q * first.step) : isUnsigned ? shifted(image) : image;
  return {
    bytes: (file === "tflite" ? tfliteNetwork : onnxNetwork)(net, format),
    input: file === "onnx" ? toNchw(values, first.channels) : values,
    output: isFloat ? Float32Array : isUnsigned ? Uint8Array : Int8Array,
    answer,
  };
}
