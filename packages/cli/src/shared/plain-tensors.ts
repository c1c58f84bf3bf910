/** The constants of a model as plain tensors of safetensors: floats where they stand for floats. */

import type { Constant, RawTensor } from "lowbit";
import { FileError } from "./errors.ts";
import type { OpenedGraph } from "./model.ts";
import { tensorsOf } from "./provenance.ts";
import { permuted, type SourceTensor } from "./source-tensors.ts";

const PLAIN = {
  ...({ f32: "F32", f16: "F16", f64: "F64", bool: "BOOL" } as const),
  ...({ int8: "I8", int16: "I16", int32: "I32", int64: "I64" } as const),
  ...({ uint8: "U8", uint16: "U16", uint32: "U32", uint64: "U64" } as const),
};

const rawBytes = (data: ArrayBufferView): Uint8Array<ArrayBuffer> =>
  new Uint8Array(data.buffer as ArrayBuffer, data.byteOffset, data.byteLength);

/** The floats that a constant stands for; undefined where it holds integers of its own. */
async function floatsOf(constant: Constant): Promise<Float32Array | undefined> {
  if (constant.kind === "plain") return constant.data instanceof Float32Array ? constant.data : undefined;
  const { dequantize } = await import("lowbit/quantize");
  return dequantize(constant);
}

/** A constant in the place that it has in the source. */
function inPlace(floats: Float32Array, { source, shape, steps }: SourceTensor, path: string): RawTensor {
  const count = (sizes: readonly number[]) => sizes.reduce((product, size) => product * size, 1);
  for (const sizes of [shape, ...steps.map((step) => step.shape)])
    if (count(sizes) !== floats.length)
      throw new FileError(
        path,
        `provenance of ${source}: expected ${floats.length} elements, got [${sizes.join(", ")}]`,
      );
  for (const { shape, permutation } of steps)
    if (permutation.length !== shape.length || shape.some((_, axis) => !permutation.includes(axis)))
      throw new FileError(
        path,
        `provenance of ${source}: expected an order of ${shape.length} axes, got [${permutation.join(", ")}]`,
      );
  return { dtype: "F32", shape, bytes: rawBytes(steps.reduce(permuted, floats)) };
}

/** All constants as plain tensors: those of layers under the source's names, the others under the graph's. */
export async function plainTensors({ path, graph, provenance }: OpenedGraph): Promise<Map<string, RawTensor>> {
  const places = new Map<string, SourceTensor>();
  for (const tensor of tensorsOf(provenance)) {
    const constant = graph.nodes.find((node) => node.name === tensor.layer)?.inputs[tensor.input];
    if (constant !== undefined) places.set(constant, tensor);
  }
  const tensors = new Map<string, RawTensor>();
  for (const [name, constant] of graph.constants) {
    const floats = await floatsOf(constant);
    const place = places.get(name);
    if (floats && place) tensors.set(place.source, inPlace(floats, place, path));
    else if (floats) tensors.set(name, { dtype: "F32", shape: constant.shape, bytes: rawBytes(floats) });
    else if (constant.kind === "plain")
      tensors.set(name, { dtype: PLAIN[constant.dtype], shape: constant.shape, bytes: rawBytes(constant.data) });
  }
  return tensors;
}
