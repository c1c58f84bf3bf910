/** Networks of Larq Compute Engine's operators, with inputs: what its own interpreter answers stands in golden/larq.json. */
import { builder as flexBuilder } from "flatbuffers/js/flexbuffers.js";
import { RandomData } from "../../../core/src/testing/random-data.ts";
import { type TensorSpec, TfliteBuilder } from "./tflite.ts";
import type { TfliteCase } from "./tflite-cases.ts";

/** A FlexBuffers map of integers. */
export function flex(attributes: Readonly<Record<string, number>>): Uint8Array {
  const map = flexBuilder();
  map.startMap();
  for (const name of Object.keys(attributes).sort()) {
    map.addKey(name);
    map.addInt(attributes[name]!);
  }
  map.end();
  return map.finish();
}

export interface Convolution {
  readonly input: readonly [height: number, width: number, channels: number];
  readonly outputs: number;
  readonly kernel: readonly [height: number, width: number];
  readonly stride?: number;
  readonly dilation?: number;
  /** Padding, or none. */
  readonly pad?: "zero" | "one";
  readonly activation?: "none" | "relu" | "relu6";
  readonly groups?: number;
  readonly output: "f32" | "int8" | "bits";
  /** Type of what is quantized to bits. */
  readonly from?: "f32" | "int8";
}

const sizeUnder = (size: number, span: number, stride: number, same: boolean): number =>
  same ? Math.ceil(size / stride) : Math.floor((size - span) / stride) + 1;

/** LceQuantize, LceBconv2d, and LceDequantize where it writes bits; optionally a max pool of bits between. */
export function larqCase(name: string, c: Convolution, seed: number, pool = false): TfliteCase {
  const random = new RandomData(seed);
  const b = new TfliteBuilder();
  const [height, width, channels] = c.input;
  const { stride = 1, dilation = 1, groups = 1 } = c;
  const shape = [1, height, width, channels];
  const count = height * width * channels;
  const codes = c.from === "int8";
  const x = b.tensor({ name: "x", shape, ...(codes && { type: "INT8", scale: 0.1, zeroPoint: 5 }) });
  const data = codes ? Int8Array.from(random.integers(count, -128, 127)) : random.floats(count);
  const words = Math.ceil(channels / 32);
  let bits = b.operator("LceQuantize", [x], { type: "INT32", shape: [1, height, width, words] }, {}, new Uint8Array(0));
  let [h, w] = [height, width];
  if (pool) {
    [h, w] = [Math.ceil(height / 2), Math.ceil(width / 2)];
    const options = flex({ filter_height: 2, filter_width: 3, stride_height: 2, stride_width: 2, padding: 0 });
    bits = b.operator("LceBMaxPool2d", [bits], { type: "INT32", shape: [1, h, w, words] }, {}, options);
  }
  const perGroup = channels / groups;
  const groupWords = Math.ceil(perGroup / 32);
  const taps = c.outputs * c.kernel[0] * c.kernel[1];
  const filter = new Int32Array(taps * groupWords);
  for (let tap = 0; tap < taps; tap++)
    for (let i = 0; i < perGroup; i++) if (random.below(2) === 1) filter[tap * groupWords + (i >> 5)]! |= 1 << (i & 31);
  const k = c.kernel[0] * c.kernel[1] * perGroup;
  const weights = b.tensor({ type: "INT32", shape: [c.outputs, ...c.kernel, groupWords], data: filter });
  const floats = (scale: number) => b.tensor({ shape: [c.outputs], data: random.floats(c.outputs, scale) });
  const thresholds = () =>
    b.tensor({
      type: "INT32",
      shape: [c.outputs],
      data: random.integers(c.outputs, Math.floor(k / 3), Math.ceil((2 * k) / 3)),
    });
  // With padding of zeros, the engine reads a multiplier even where it writes bits.
  const ends =
    c.output === "bits"
      ? [...(c.pad === "zero" ? [floats(1), floats(1)] : [-1, -1]), thresholds()]
      : [floats(0.3), floats(3), -1];
  const options = flex({
    stride_height: stride,
    stride_width: stride,
    dilation_height_factor: dilation,
    dilation_width_factor: dilation,
    padding: c.pad ? 0 : 1,
    pad_values: c.pad === "one" ? 1 : 0,
    channels_in: channels,
    fused_activation_function: { none: 0, relu: 1, relu6: 3 }[c.activation ?? "none"],
  });
  const [outH, outW] = [
    sizeUnder(h, (c.kernel[0] - 1) * dilation + 1, stride, c.pad !== undefined),
    sizeUnder(w, (c.kernel[1] - 1) * dilation + 1, stride, c.pad !== undefined),
  ];
  const whole = [1, outH, outW, c.outputs];
  const types: Readonly<Record<Convolution["output"], TensorSpec>> = {
    f32: { name: "y", shape: whole },
    int8: { name: "y", shape: whole, type: "INT8", scale: 0.11, zeroPoint: -3 },
    bits: { name: "bits", type: "INT32", shape: [1, outH, outW, Math.ceil(c.outputs / 32)] },
  };
  let y = b.operator("LceBconv2d", [bits, weights, ...ends], types[c.output], {}, options);
  if (c.output === "bits") y = b.operator("LceDequantize", [y], { name: "y", shape: whole }, {}, new Uint8Array(0));
  return { name, file: b.build([x], [y]), inputs: [{ dtype: codes ? "int8" : "f32", shape, data }] };
}

/** The variants that the engine's interpreter runs: zero padding for an even number of channels alone. */
export function larqCases(): TfliteCase[] {
  const small = { input: [6, 5, 40], outputs: 7, kernel: [3, 3] } as const;
  return [
    larqCase("valid, f32", { ...small, output: "f32" }, 1),
    larqCase("padded with one, f32", { ...small, pad: "one", output: "f32" }, 2),
    larqCase("padded with zero, f32", { ...small, pad: "zero", output: "f32" }, 3),
    larqCase("relu, f32", { ...small, pad: "one", activation: "relu", output: "f32" }, 4),
    larqCase(
      "relu6 of zeros, strided, f32",
      { ...small, pad: "zero", stride: 2, activation: "relu6", output: "f32" },
      5,
    ),
    larqCase("dilated, f32", { ...small, pad: "one", dilation: 2, output: "f32" }, 6),
    larqCase("1x1 over 96 channels, f32", { input: [4, 4, 96], outputs: 33, kernel: [1, 1], output: "f32" }, 7),
    larqCase(
      "groups, f32",
      { input: [5, 4, 128], outputs: 64, kernel: [3, 2], groups: 2, pad: "one", output: "f32" },
      8,
    ),
    larqCase("padded with one, int8", { ...small, pad: "one", output: "int8" }, 9),
    larqCase("relu, int8 from int8", { ...small, activation: "relu", from: "int8", output: "int8" }, 10),
    larqCase("padded with one, bits", { ...small, pad: "one", outputs: 37, output: "bits" }, 11),
    larqCase("padded with zero, bits", { ...small, pad: "zero", output: "bits" }, 12),
    larqCase("bits from int8, strided", { ...small, stride: 2, from: "int8", output: "bits" }, 13),
    larqCase("behind a max pool of bits", { ...small, pad: "one", output: "f32" }, 14, true),
    larqCase("max pool, bits", { ...small, input: [9, 8, 64], pad: "one", output: "bits" }, 15, true),
  ];
}
