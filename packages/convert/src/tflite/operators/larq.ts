import { toReference } from "flatbuffers/js/flexbuffers.js";
import type { PlainConstant, QuantizedConstant } from "lowbit";
import { perChannelConstant } from "../../graph/low-bit.ts";
import type { NodeContext, OperatorImporter } from "../context.ts";
import { TensorType } from "../schema.ts";
import { windowOf } from "./window.ts";

/**
 * Larq Compute Engine's operators (Bannink et al., "Larq Compute Engine: Design, Benchmark, and Deploy State-of-the-Art
 * Binarized Neural Networks", MLSys 2021). Its tensors of bits are int32 words along the channels, bit 1 for -1, as the
 * Graph's `bit` values are.
 */

/** The integers of an operator's attributes, which are a FlexBuffers map. */
function attributesOf<K extends string>(node: NodeContext, names: readonly K[]): Readonly<Record<K, number>> {
  const bytes = node.operator.customOptions;
  if (bytes === undefined) node.damaged("attributes", names.join(", "), "none");
  const read = (name: K): unknown => {
    try {
      const map = toReference(bytes.slice().buffer);
      // Typed for vectors, whose keys are numbers; a map takes its own.
      return map.isMap() ? map.get(name as unknown as number).intValue() : undefined;
    } catch (cause) {
      return cause;
    }
  };
  const entries = names.map((name) => {
    const value = read(name);
    if (typeof value !== "number") node.damaged(`attribute ${name}`, "an integer in a FlexBuffers map", String(value));
    return [name, value] as const;
  });
  return Object.fromEntries(entries) as Record<K, number>;
}

/** Input 0 as a value of bits. */
function bitsOf(node: NodeContext): string {
  const x = node.value(0);
  const { dtype, shape } = node.info(x);
  if (dtype !== "bit" || shape.length !== 4)
    node.unsupported(
      `input 0 of ${dtype} [${shape}]`,
      "an image of bits, which LceQuantize, LceBconv2d and LceBMaxPool2d write",
    );
  return x;
}

/** Input 1, words [O, kh, kw, words of a group], as signs [O, kh, kw, channels of a group]. */
function signsOf(node: NodeContext, channels: number): { weights: QuantizedConstant; groups: number } {
  const stored = node.constant(1);
  if (stored?.dtype !== "int32" || stored.shape.length !== 4)
    node.unsupported(
      `weights of ${stored ? `${stored.dtype} [${stored.shape}]` : "a computed value"}`,
      "constant words [O, height, width, words]",
    );
  const [outputs, height, width, words] = stored.shape as [number, number, number, number];
  const all = Math.ceil(channels / 32);
  const groups = all % words === 0 ? all / words : 0;
  const perGroup = channels / groups;
  if (groups === 0 || (groups > 1 && perGroup % 32 !== 0) || outputs % groups !== 0)
    node.damaged(
      "weights",
      `a share of the ${all} words of ${channels} channels`,
      `${words} words for ${outputs} outputs`,
    );
  const taps = outputs * height * width;
  const codes = new Uint8Array(taps * perGroup);
  for (let tap = 0; tap < taps; tap++)
    for (let c = 0; c < perGroup; c++)
      codes[tap * perGroup + c] = ((stored.data as Int32Array)[tap * words + (c >> 5)]! >>> (c & 31)) & 1;
  const scale = new Float32Array(outputs).fill(1);
  return {
    weights: perChannelConstant("binary", [outputs, height, width, perGroup], 1, codes, { kind: "sign" }, scale),
    groups,
  };
}

/** One number per output channel. */
function perOutput(
  node: NodeContext,
  index: number,
  what: string,
  dtype: "f32" | "int32",
  outputs: number,
): PlainConstant {
  const constant = node.constant(index);
  if (constant?.dtype !== dtype || constant.data.length !== outputs)
    node.damaged(
      what,
      `${outputs} constants of ${dtype}`,
      constant ? `${constant.data.length} of ${constant.dtype}` : "none",
    );
  return { ...constant, shape: [outputs] };
}

/**
 * x bits, weights, multiplier?, bias?, thresholds? -> f32 or int8: clamp(sum) * multiplier + bias, clamped by the fused
 * activation; or bits: -1 where the popcount of x ^ w is above its threshold, that is where the sum K - 2 * popcount is below
 * K - 2 * threshold. Padded with +1 or 0.
 */
function binaryConvolution(node: NodeContext): void {
  const a = attributesOf(node, [
    "stride_height",
    "stride_width",
    "dilation_height_factor",
    "dilation_width_factor",
    "padding",
    "pad_values",
    "channels_in",
    "fused_activation_function",
  ]);
  const x = bitsOf(node);
  const channels = node.shape(x)[3];
  if (channels !== a.channels_in) node.damaged("channels_in", channels, a.channels_in);
  if (a.pad_values !== 0 && a.pad_values !== 1) node.damaged("pad_values", "0 or 1", a.pad_values);
  const { weights, groups } = signsOf(node, a.channels_in);
  const [outputs, ...rest] = weights.shape as [number, number, number, number];
  const window = windowOf(node, x, rest.slice(0, 2), {
    padding: a.padding,
    strideHeight: a.stride_height,
    strideWidth: a.stride_width,
    dilationHeight: a.dilation_height_factor,
    dilationWidth: a.dilation_width_factor,
  });
  const padding = a.pad_values === 1 ? ("one" as const) : ("zero" as const);
  const inputs = [x, node.store("weight", weights)];
  if (node.output().type === TensorType.INT32) {
    const sum = node.step("sum", "conv2d", inputs, { ...window, groups, padding }, { dtype: "int32" });
    const most = rest.reduce((product, size) => product * size, 1);
    const given = perOutput(node, 4, "thresholds", "int32", outputs).data as Int32Array;
    const data = Int32Array.from(given, (threshold) =>
      Math.min(Math.max(most - 2 * threshold, -(2 ** 31)), 2 ** 31 - 1),
    );
    const thresholds = node.store("thresholds", { kind: "plain", dtype: "int32", shape: [outputs], data });
    node.bind(node.main("threshold", [sum, thresholds], {}));
    return;
  }
  const end = [
    node.store("multiplier", perOutput(node, 2, "multiplier", "f32", outputs)),
    node.store("bias", perOutput(node, 3, "bias", "f32", outputs)),
  ];
  const clamp = node.clampOf(a.fused_activation_function);
  if (!clamp && a.fused_activation_function !== 0)
    node.unsupported(`fused activation ${a.fused_activation_function}`, "none, RELU, RELU_N1_TO_1 or RELU6");
  const attributes = { ...window, groups, padding, ...(clamp && { clamp }) };
  // The activation clamps the sum itself, so behind one the sum is a float already.
  const sum = node.step("sum", "conv2d", inputs, attributes, { dtype: clamp ? "f32" : "int32" });
  node.bindReal(node.main("affine", [sum, ...end], {}));
}

export const larq: Readonly<Record<string, OperatorImporter>> = {
  /** Floats or codes to bits: -1 below 0, and +1 from 0 on. */
  LceQuantize: (node) => node.bind(node.main("sign", [node.real(0)], {}, { dtype: "bit" })),
  LceBconv2d: binaryConvolution,
  /** Bits to -1 and +1, as floats or codes. */
  LceDequantize: (node) => node.bindReal(node.main("cast", [bitsOf(node)], { to: "f32" })),
  /** The maximum of bits is +1 where one of them is. */
  LceBMaxPool2d: (node) => {
    const a = attributesOf(node, ["filter_height", "filter_width", "stride_height", "stride_width", "padding"]);
    const x = bitsOf(node);
    const window = windowOf(node, x, [a.filter_height, a.filter_width], {
      padding: a.padding,
      strideHeight: a.stride_height,
      strideWidth: a.stride_width,
    });
    node.bind(node.main("maxPool", [x], window));
  },
};
