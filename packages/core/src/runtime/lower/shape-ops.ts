/** Operators that move elements: reshape, transpose, concat, pad. */
import { axisOf } from "../../graph/shapes.ts";
import type { DType, NodeOf } from "../../graph/types.ts";
import { copyRows, Pad, Transpose } from "../../kernels/transform.ts";
import { bytesOf, sizeOf, toHalf } from "../../tensor.ts";
import { wordsPerRow } from "../layout.ts";
import type { LoweringContext } from "./context.ts";
import type { Binding, Operation } from "./operation.ts";
import { elementwiseAlias } from "./simple.ts";

const isPacked = (dtype: DType): dtype is "bit" | "trit" => dtype === "bit" || dtype === "trit";

export function lowerReshape(node: NodeOf<"reshape">, context: LoweringContext): Operation | undefined {
  const [x = ""] = node.inputs;
  const [y = ""] = node.outputs;
  const { dtype } = context.info(x);
  if (isPacked(dtype)) {
    // Rows keep their words: a flattened image is a row of as many runs as it has pixels.
    const run = context.runLength(x);
    const last = context.info(y).shape.at(-1) as number;
    if (last % run !== 0) return context.refuse(node, `${dtype} rows of ${run} as rows of ${last}`);
    context.setRunLength(y, run);
  }
  return elementwiseAlias(node);
}

type ElementBytes = 1 | 2 | 4 | 8;

/** Bytes of an element where a packed value is seen as its 32-bit words. */
const elementBytes = (dtype: DType): ElementBytes => (isPacked(dtype) ? 4 : (bytesOf[dtype] as ElementBytes));

/** A shape in elements, the last axis of a bit value in words. */
const inElements = (dtype: DType, shape: readonly number[]): number[] =>
  dtype === "bit" ? [...shape.slice(0, -1), wordsPerRow(shape.at(-1)!)] : [...shape];

export function lowerTranspose(node: NodeOf<"transpose">, context: LoweringContext): Operation | undefined {
  const [x = ""] = node.inputs;
  const [y = ""] = node.outputs;
  const { permutation } = node.attributes;
  const { dtype } = context.info(x);
  const last = permutation.length - 1;
  if (isPacked(dtype) && (dtype === "trit" || permutation[last] !== last || !context.isWholeRows(x)))
    return context.refuse(node, `${dtype} with permutation [${permutation}]`);
  return {
    node: node.name,
    op: node.op,
    kernel: "transform",
    inputs: [x],
    output: y,
    bind(binding) {
      const shape = inElements(dtype, binding.shape(x));
      const options = { shape, permutation, elementBytes: elementBytes(dtype) };
      const object = binding.own(new Transpose(binding.instance, options));
      const from = binding.pointer(x);
      const to = binding.pointer(y);
      return () => object.run(from, to);
    },
    [Symbol.dispose]: () => undefined,
  };
}

export function lowerConcat(node: NodeOf<"concat">, context: LoweringContext): Operation | undefined {
  const [y = ""] = node.outputs;
  const { dtype, shape } = context.info(y);
  const axis = axisOf(node, node.attributes.axis, shape.length);
  if (isPacked(dtype)) {
    const onWords = node.inputs.slice(0, -1).every((name) => (context.info(name).shape.at(-1) as number) % 32 === 0);
    if (
      dtype === "trit" ||
      (axis === shape.length - 1 && !onWords) ||
      !node.inputs.every((name) => context.isWholeRows(name))
    )
      return context.refuse(node, `${dtype} along axis ${axis}`);
  }
  return {
    node: node.name,
    op: node.op,
    kernel: "transform",
    ...context.inputsOf(node),
    output: y,
    bind(binding) {
      const size = elementBytes(dtype);
      // A row is everything from the axis on; the inputs' rows follow one another in y's.
      const rowBytes = (name: string): number => sizeOf(inElements(dtype, binding.shape(name)).slice(axis)) * size;
      const rows = sizeOf(binding.shape(y).slice(0, axis));
      const stride = rowBytes(y);
      const { instance } = binding;
      let to = binding.pointer(y);
      const copies = node.inputs.map((name) => {
        const copy = [binding.pointer(name), rowBytes(name), to] as const;
        to += rowBytes(name);
        return copy;
      });
      return () => {
        for (let i = 0; i < copies.length; i++) {
          const copy = copies[i]!;
          copyRows(instance, copy[0], rows, copy[1], copy[2], stride);
        }
      };
    },
    [Symbol.dispose]: () => undefined,
  };
}

/** One element's little-endian bytes; integers are rounded towards zero and kept in range. */
function elementOf(dtype: Exclude<DType, "bit" | "trit">, value: number): Uint8Array {
  const view = new DataView(new ArrayBuffer(bytesOf[dtype]));
  const whole = (low: number, high: number): number => Math.min(high, Math.max(low, Math.trunc(value)));
  switch (dtype) {
    case "f32":
      view.setFloat32(0, value, true);
      break;
    case "f16":
      view.setUint16(0, toHalf(value), true);
      break;
    case "int8":
      view.setInt8(0, whole(-128, 127));
      break;
    case "uint8":
      view.setUint8(0, whole(0, 255));
      break;
    case "bool":
      view.setUint8(0, value ? 1 : 0);
      break;
    case "int32":
      view.setInt32(0, whole(-(2 ** 31), 2 ** 31 - 1), true);
      break;
    case "int64":
      view.setBigInt64(0, BigInt(whole(Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER)), true);
      break;
  }
  return new Uint8Array(view.buffer);
}

export function lowerPad(node: NodeOf<"pad">, context: LoweringContext): Operation | undefined {
  const [x = ""] = node.inputs;
  const [y = ""] = node.outputs;
  const { dtype, quantization } = context.info(x);
  if (isPacked(dtype)) return context.refuse(node, `pad of ${dtype}`);
  const { pads } = node.attributes;
  // The attribute is the real number; quantized activations store its code.
  const stored = quantization
    ? node.attributes.value / quantization.scale + quantization.zeroPoint
    : node.attributes.value;
  const value = elementOf(dtype, quantization ? Math.round(stored) : stored);
  return {
    node: node.name,
    op: node.op,
    kernel: "transform",
    inputs: [x],
    output: y,
    bind(binding: Binding) {
      const object = binding.own(new Pad(binding.instance, { shape: binding.shape(x), pads, value }));
      const from = binding.pointer(x);
      const to = binding.pointer(y);
      return () => object.run(from, to);
    },
    [Symbol.dispose]: () => undefined,
  };
}
