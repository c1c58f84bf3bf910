/** The model that a runtime gets for a case, and how its answer is read. */
import type { Case, Tensors } from "../case.ts";
import { coldCopies, isSearch } from "../task.ts";
import type { LayerModel } from "./layer.ts";
import { hasOnnxForm, type OnnxFormat, onnxLayer } from "./layer-onnx.ts";
import { hasTfliteForm, type TfliteFormat, tfliteLayer } from "./layer-tflite.ts";
import { networkModel } from "./network.ts";

export type Model = LayerModel;

export const NO_SEARCHES = "no searches";
const NO_4_BITS = "no network with 4-bit weights";

export function hasTflite({ task }: Case, format: TfliteFormat): true | string {
  if (isSearch(task)) return NO_SEARCHES;
  if (task.op !== "network") return hasTfliteForm(task, format);
  return format === "int4" ? NO_4_BITS : true;
}

export function tfliteOf(of: Case, tensors: Tensors, format: TfliteFormat): Model {
  const { task } = of;
  if (isSearch(task)) throw new Error(NO_SEARCHES);
  if (task.op !== "network") return tfliteLayer(task, tensors, format);
  return networkModel({ ...of, task }, tensors, "tflite", format === "fp32" ? "fp32" : "int8");
}

export function hasOnnx({ task }: Case, format: OnnxFormat): true | string {
  if (isSearch(task)) return NO_SEARCHES;
  if (task.op !== "network") return hasOnnxForm(task, format);
  return format === "nbits4" ? NO_4_BITS : true;
}

export function onnxOf(of: Case, tensors: Tensors, format: OnnxFormat): Model {
  const { task } = of;
  if (isSearch(task)) throw new Error(NO_SEARCHES);
  if (task.op !== "network") return onnxLayer(task, tensors, format);
  return networkModel({ ...of, task }, tensors, "onnx", format === "fp32" ? "fp32" : "int8");
}

/** How often a model of so many bytes is loaded, for every run of a cold task to find other weights. */
export const copiesOf = ({ task }: Case, bytes: number): number =>
  task.op === "gemm" && task.cold ? coldCopies(bytes) : 1;
