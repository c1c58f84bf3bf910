/** The model that a runtime gets for a case, and how its answer is read. */
import type { Case, Tensors } from "../case.ts";
import { coldCopies } from "../task.ts";
import type { LayerModel } from "./layer.ts";
import { hasOnnxForm, type OnnxFormat, onnxLayer } from "./layer-onnx.ts";
import { hasTfliteForm, type TfliteFormat, tfliteLayer } from "./layer-tflite.ts";

export type Model = LayerModel;

export function hasTflite({ task }: Case, format: TfliteFormat): true | string {
  return task.op === "network" ? "no network yet" : hasTfliteForm(task, format);
}

export function tfliteOf({ task }: Case, tensors: Tensors, format: TfliteFormat): Model {
  if (task.op === "network") throw new Error("no network yet");
  return tfliteLayer(task, tensors, format);
}

export function hasOnnx({ task }: Case, format: OnnxFormat): true | string {
  return task.op === "network" ? "no network yet" : hasOnnxForm(task, format);
}

export function onnxOf({ task }: Case, tensors: Tensors, format: OnnxFormat): Model {
  if (task.op === "network") throw new Error("no network yet");
  return onnxLayer(task, tensors, format);
}

/** How often a model of so many bytes is loaded, for every run of a cold task to find other weights. */
export const copiesOf = ({ task }: Case, bytes: number): number =>
  task.op === "gemm" && task.cold ? coldCopies(bytes) : 1;
