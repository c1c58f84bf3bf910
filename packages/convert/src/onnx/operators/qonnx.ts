import type { PlainConstant } from "lowbit";
import { ModelFileError } from "../../errors.ts";
import { combine, floats } from "../../graph/constants.ts";
import { roundTiesToEven } from "../../graph/numbers.ts";
import type { NodeContext, OperatorImporter } from "../context.ts";

/**
 * QONNX's operators, as Brevitas exports them (Pappalardo et al., "QONNX: Representing Arbitrary-Precision Quantized Neural Networks", 2022). Their tensors are floats that
 * lie on a grid: of constants the codes are kept for the layers that read them, activations become the runtime's codes where the grid is one of its own, and the
 * operator's own f32 steps otherwise.
 */

type Rounding = (x: number) => number;

/** Ties away from zero, and toward it, in f32 as QONNX has it. */
const half = (toward: Rounding, offset: number): Rounding => {
  return (x) => Math.sign(x) * toward(Math.fround(Math.abs(x) + offset));
};

const ROUNDINGS: Readonly<Record<string, Rounding>> = {
  ROUND: roundTiesToEven,
  HALF_EVEN: roundTiesToEven,
  CEIL: Math.ceil,
  FLOOR: Math.floor,
  UP: (x) => Math.sign(x) * Math.ceil(Math.abs(x)),
  DOWN: Math.trunc,
  HALF_UP: half(Math.floor, 0.5),
  HALF_DOWN: half(Math.ceil, -0.5),
};

function roundingOf(node: NodeContext, fallback: string): string {
  const mode = node.attributes.string("rounding_mode", fallback).toUpperCase();
  if (!Object.hasOwn(ROUNDINGS, mode)) node.unsupported(`rounding mode ${mode}`, Object.keys(ROUNDINGS).join(", "));
  return mode;
}

/** The rounding as Graph nodes. */
function rounded(node: NodeContext, x: string, mode: string): string {
  if (mode === "ROUND" || mode === "HALF_EVEN") return node.step("round", "round", [x], {});
  if (mode === "CEIL" || mode === "FLOOR") return node.step("round", mode === "CEIL" ? "ceil" : "floor", [x], {});
  const size = node.step("size", "abs", [x], {});
  const offset = mode === "HALF_UP" ? 0.5 : mode === "HALF_DOWN" ? -0.5 : 0;
  const moved = offset === 0 ? size : node.step("half", "add", [size, scalar(node, "half", offset)], {});
  const whole = node.step("whole", mode === "UP" || mode === "HALF_DOWN" ? "ceil" : "floor", [moved], {});
  return node.step("round", "mul", [node.step("sign", "sign", [x], {}), whole], {});
}

const scalar = (node: NodeContext, part: string, value: number) => node.store(part, floats([], [value]));

/** Input `index` as one whole number. */
function whole(node: NodeContext, index: number, what: string, least: number): number {
  const value = Number(node.constantInput(index, what)?.data[0]);
  if (!Number.isInteger(value) || value < least || value > 32)
    throw new ModelFileError(`onnx: ${node.title}`, what, `a whole number from ${least} to 32`, value);
  return value;
}

/** Scale (input 1) and zero point (input 2), which are constants. */
function gridOf(node: NodeContext) {
  const scale = node.constantInput(1, "scale");
  const zeroPoint = node.constantInput(2, "zero point");
  const isGood = (list: PlainConstant | undefined, good: (value: number) => boolean) =>
    list?.dtype === "f32" && (list.data as Float32Array).every(good);
  if (!scale || !isGood(scale, (value) => value > 0 && value < Number.POSITIVE_INFINITY))
    throw new ModelFileError(`onnx: ${node.title}`, "scale", "positive floats", String(scale?.data.slice(0, 4)));
  if (!zeroPoint || !isGood(zeroPoint, Number.isFinite))
    throw new ModelFileError(`onnx: ${node.title}`, "zero point", "floats", String(zeroPoint?.data.slice(0, 4)));
  return { scale, zeroPoint };
}

const isZero = ({ data }: PlainConstant) => (data as Float32Array).every((value) => value === 0);
const isOne = ({ data }: PlainConstant) => (data as Float32Array).every((value) => value === 1);

/** Quant's codes: 0 to 2^bits - 1, or -2^(bits - 1) to 2^(bits - 1) - 1; one fewer where they are `narrow`. */
function rangeOf(node: NodeContext, bits: number): [least: number, most: number] {
  const narrow = node.attributes.int("narrow", 0) === 0 ? 0 : 1;
  if (node.attributes.int("signed", 1) === 0) return [0, 2 ** bits - 1 - narrow];
  return [-(2 ** (bits - 1)) + narrow, 2 ** (bits - 1) - 1];
}

/**
 * -1 below 0, else +1: Sign with its 0 moved up. The passes read it as the one comparison it is.
 */
function bipolar(node: NodeContext, x: string): string {
  const sign = node.step("sign", "sign", [x], {});
  return node.main("sign", [node.step("half", "add", [sign, scalar(node, "half", 0.5)], {})], {});
}

/** BipolarQuant: ±scale. */
function bipolarQuant(node: NodeContext): void {
  const scale = node.neededConstant(1, "scale");
  const signs = bipolar(node, node.float(0));
  node.bind(isOne(scale) ? signs : node.step("scale", "mul", [signs, node.float(1)], {}));
}

/** Quant, or IntQuant: (round(clamp(x / scale + zero point)) - zero point) * scale. */
function quant(node: NodeContext): void {
  const x = node.float(0);
  const { scale, zeroPoint } = gridOf(node);
  const bits = whole(node, 3, "bit width", 1);
  const mode = roundingOf(node, "ROUND");
  const range = rangeOf(node, bits);
  // Signed codes of 1 bit are signs: Brevitas exports them so.
  const signs = bits === 1 && node.attributes.int("signed", 1) !== 0;
  const constant = node.constantOf(x);
  if (constant && !signs && quantConstant(node, constant, { scale, zeroPoint, bits, mode, range })) return;
  const isEven = mode === "ROUND" || mode === "HALF_EVEN";
  // With a zero point QONNX rounds behind its addition, where ties fall otherwise than in integers.
  if (!signs && bits <= 8 && isEven && scale.data.length === 1 && isZero(zeroPoint)) {
    quantCodes(node, x, scale.data[0] as number, range);
    return;
  }
  const scaled = node.step("steps", "div", [x, node.input(1)], {});
  const moved = isZero(zeroPoint) ? scaled : node.step("moved", "add", [scaled, node.input(2)], {});
  const codes = signs
    ? bipolar(node, moved)
    : rounded(node, node.step("range", "clip", [moved], { min: range[0], max: range[1] }), mode);
  ungrid(node, codes, scale, zeroPoint);
}

/** From codes back to floats: the node's last steps. */
function ungrid(node: NodeContext, codes: string, scale: PlainConstant, zeroPoint: PlainConstant, name?: string): void {
  const centered = isZero(zeroPoint) ? codes : node.step("centered", "sub", [codes, node.input(2)], {});
  node.bind(isOne(scale) ? centered : node.step("scale", "mul", [centered, name ?? node.input(1)], {}));
}

/** Codes of int8 or uint8 on the way; a narrower range is a clip before them, whose bounds are codes too. */
function quantCodes(node: NodeContext, x: string, scale: number, [least, most]: [number, number]): void {
  const dtype = least < 0 ? "int8" : "uint8";
  const isFull = least === (least < 0 ? -128 : 0) && most === (least < 0 ? 127 : 255);
  const bounds = { min: Math.fround(least * scale), max: Math.fround(most * scale) };
  const clipped = isFull ? x : node.step("range", "clip", [x], bounds);
  const codes = node.main("quantize", [clipped], {}, { dtype, quantization: { scale, zeroPoint: 0 } });
  node.bind(node.step("floats", "dequantize", [codes], {}));
}

interface Grid {
  readonly scale: PlainConstant;
  readonly zeroPoint: PlainConstant;
  readonly bits: number;
  readonly mode: string;
  readonly range: readonly [number, number];
}

/** Quantizes weights and keeps their codes, where they have up to 8 bits and one scale, or one per entry of an axis; false where the shapes do not fit. */
function quantConstant(node: NodeContext, x: PlainConstant, grid: Grid): boolean {
  const { scale, zeroPoint, bits, mode } = grid;
  const [least, most] = grid.range;
  const round = ROUNDINGS[mode]!;
  const scaled = combine(x, scale, (value, step) => value / step);
  const moved = scaled && combine(scaled, zeroPoint, (value, zero) => value + zero);
  if (!moved || moved.data.length !== x.data.length) return false;
  const codes = (moved.data as Float32Array).map((value) => round(Math.min(Math.max(value, least), most)));
  const centered = combine({ ...moved, data: codes }, zeroPoint, (code, zero) => code - zero)!;
  const made = combine(centered, scale, (value, step) => value * step)!;
  const axis = scale.data.length === 1 ? 0 : axisOf(x.shape, scale.shape);
  const zero = zeroPoint.data[0] as number;
  const isOneZero = (zeroPoint.data as Float32Array).every((value) => value === zero) && Number.isInteger(zero);
  if (bits > 8 || axis === undefined || !isOneZero || zero < least || zero > most) {
    node.bind(node.store("floats", made));
    return true;
  }
  const Codes = least < 0 ? Int8Array : Uint8Array;
  const dtype = least < 0 ? "int8" : "uint8";
  node.bind(
    node.storeCodes("floats", made, {
      codes: { kind: "plain", dtype, shape: x.shape, data: Codes.from(codes) },
      scale: scale.data as Float32Array,
      zeroPoint: new Int32Array(scale.data.length).fill(zero),
      axis,
      bits: bits <= 2 ? 2 : bits <= 4 ? 4 : 8,
    }),
  );
  return true;
}

/** The one axis of `shape` that a scale varies along. */
function axisOf(shape: readonly number[], scale: readonly number[]): number | undefined {
  const axes = [...scale.keys()].filter((axis) => scale[axis] !== 1);
  return axes.length === 1 ? axes[0]! + shape.length - scale.length : undefined;
}

/**
 * Trunc: drops the low bits of codes, behind sums and averages. Version 1 by the bit widths in front and behind, version 2 by the scales, which are 2^n apart.
 */
function trunc(node: NodeContext): void {
  const x = node.float(0);
  const { scale, zeroPoint } = gridOf(node);
  const from = whole(node, 3, "input bit width", 1);
  const isSecond = node.inputCount > 5;
  const to = whole(node, isSecond ? 5 : 4, "output bit width", 1);
  const wider = isSecond ? node.neededConstant(4, "output scale") : scale;
  const ratio = isSecond ? ratioOf(node, scale, wider) : 2 ** (from - to);
  const mode = roundingOf(node, "FLOOR");
  const codes = node.step("steps", "div", [x, node.input(1)], {});
  const moved = isZero(zeroPoint) ? codes : node.step("moved", "add", [codes, node.input(2)], {});
  const integers = node.step("integers", "round", [moved], {});
  const shifted = node.step("shifted", "mul", [integers, scalar(node, "shift", 1 / ratio)], {});
  if (!isSecond) {
    ungrid(node, rounded(node, shifted, mode), scale, zeroPoint);
    return;
  }
  const [min, max] = rangeOf(node, to);
  const low = rounded(node, node.step("range", "clip", [shifted], { min, max }), mode);
  const zero = (zeroPoint.data as Float32Array).map((value) => value / ratio);
  const centered = isZero(zeroPoint)
    ? low
    : node.step("centered", "sub", [low, node.store("zero", floats(zeroPoint.shape, zero))], {});
  node.bind(node.step("scale", "mul", [centered, node.input(4)], {}));
}

/** output scale / scale, the power of two it is meant to be, which is the same everywhere. */
function ratioOf(node: NodeContext, scale: PlainConstant, wider: PlainConstant): number {
  const ratios = combine(wider, scale, (b, a) => b / a);
  const first = ratios?.data[0] as number;
  const power = Array.from({ length: 64 }, (_, i) => 2 ** (i - 32)).find(
    (value) => first / value > Math.SQRT1_2 && first / value <= Math.SQRT2,
  );
  const isSame = ratios && (ratios.data as Float32Array).every((ratio) => Math.abs(ratio - first) <= 1e-6 * first);
  if (power === undefined || !isSame)
    throw new ModelFileError(`onnx: ${node.title}`, "output scale", "the scale times one power of two", first);
  return power;
}

const DOMAINS = ["qonnx.custom_op.general", "finn.custom_op.general", "onnx.brevitas"];

export const qonnx: Readonly<Record<string, OperatorImporter>> = Object.fromEntries(
  DOMAINS.flatMap((domain) => [
    [`${domain}.BipolarQuant`, bipolarQuant],
    [`${domain}.Quant`, quant],
    [`${domain}.IntQuant`, quant],
    [`${domain}.Trunc`, trunc],
  ]),
);
