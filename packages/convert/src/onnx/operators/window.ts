import type { Dim, Window2d } from "lowbit";
import { ModelFileError } from "../../errors.ts";
import type { NodeContext } from "../context.ts";

/** Output size of a window along one axis, by floor. */
function positions(
  input: number,
  before: number,
  after: number,
  kernel: number,
  stride: number,
  dilation: number,
): number {
  return Math.floor((input + before + after - (kernel - 1) * dilation - 1) / stride) + 1;
}

export interface WindowOptions {
  /** Taken from the weights where `kernel_shape` is absent. */
  readonly kernel?: readonly number[];
  /** `ceil_mode`: extra padding behind, which only a max can take without a change of its result. */
  readonly ceil?: (extra: readonly [number, number]) => void;
}

/**
 * The 2-d window of Conv and the pools: kernel_shape, strides, dilations, pads, auto_pad, ceil_mode, as explicit
 * padding. `shape` is the input's, NCHW.
 */
export function windowOf(node: NodeContext, shape: readonly Dim[], options: WindowOptions = {}): Window2d {
  const { attributes } = node;
  const kernel = pair(node, "kernel_shape", attributes.ints("kernel_shape") ?? options.kernel ?? [], 1);
  const strides = pair(node, "strides", attributes.ints("strides") ?? [1, 1], 1);
  const dilations = pair(node, "dilations", attributes.ints("dilations") ?? [1, 1], 1);
  const explicit = attributes.ints("pads") ?? [0, 0, 0, 0];
  if (explicit.length !== 4 || explicit.some((pad) => pad < 0 || pad > 0xffff)) {
    throw new ModelFileError(`onnx: ${node.title}`, "pads", "4 sizes, 0 to 65535", explicit);
  }
  const autoPad = attributes.string("auto_pad", "NOTSET");
  const pads = [...explicit] as [number, number, number, number];
  const ceil = attributes.int("ceil_mode", 0) === 1;
  const extra: [number, number] = [0, 0];
  for (const axis of [0, 1] as const) {
    const size = shape[axis + 2];
    const span = (kernel[axis] - 1) * dilations[axis] + 1;
    if (autoPad === "VALID") pads[axis] = pads[axis + 2] = 0;
    else if (autoPad === "SAME_UPPER" || autoPad === "SAME_LOWER") {
      if (typeof size !== "number")
        node.unsupported(`auto_pad ${autoPad} with the dynamic size ${size}`, "a fixed height and width");
      const total = Math.max((Math.ceil(size / strides[axis]) - 1) * strides[axis] + span - size, 0);
      const half = Math.floor(total / 2);
      pads[axis] = autoPad === "SAME_UPPER" ? half : total - half;
      pads[axis + 2] = total - pads[axis]!;
    } else if (autoPad !== "NOTSET") {
      throw new ModelFileError(`onnx: ${node.title}`, "auto_pad", "NOTSET, SAME_UPPER, SAME_LOWER or VALID", autoPad);
    }
    if (!ceil) continue;
    if (typeof size !== "number")
      node.unsupported(`ceil_mode with the dynamic size ${size}`, "a fixed height and width");
    const [before, after] = [pads[axis]!, pads[axis + 2]!];
    const floor = positions(size, before, after, kernel[axis], strides[axis], dilations[axis]);
    const rest = (size + before + after - span) % strides[axis];
    // One more position, unless it would start in the padding behind the input.
    if (rest !== 0 && floor * strides[axis] < size + before) extra[axis] = strides[axis] - rest;
  }
  if (extra[0] + extra[1] > 0) {
    options.ceil?.(extra);
    pads[2] += extra[0];
    pads[3] += extra[1];
  }
  return { kernel, strides, dilations, pads };
}

function pair(node: NodeContext, what: string, values: readonly number[], least: number): readonly [number, number] {
  const [height, width] = values;
  if (values.length !== 2 || values.some((value) => value < least || value > 0xffff)) {
    throw new ModelFileError(`onnx: ${node.title}`, what, `2 sizes, ${least} to 65535`, values);
  }
  return [height!, width!];
}
