/** `rounding: "reference"`: quantized operators by integers alone, as TensorFlow Lite's reference kernels compute and round them, code by code. */
import type { ActivationQuantization, Attributes, Window2d } from "lowbit";
import type { NodeContext, Target } from "../context.ts";
import { TensorType } from "../schema.ts";

/** A real factor as multiplier · 2^(exponent - 31). */
interface Factor {
  readonly multiplier: number;
  readonly exponent: number;
}

/** A positive real number to 31 bits; 0 where it is below 2^-32. */
function factorOf(node: NodeContext, real: number): Factor {
  if (!(real > 0 && real < 2 ** 30)) node.damaged("scales", "a factor above 0 and below 2^30", real);
  let [fraction, exponent] = [real, 0];
  for (; fraction >= 1; exponent++) fraction /= 2;
  for (; fraction < 0.5; exponent--) fraction *= 2;
  const multiplier = Math.round(fraction * 2 ** 31);
  if (exponent < -31) return { multiplier: 0, exponent: 0 };
  return multiplier === 2 ** 31 ? { multiplier: 2 ** 30, exponent: exponent + 1 } : { multiplier, exponent };
}

/** To the nearest, halves away from 0. */
const rounded = (x: number): number => Math.sign(x) * Math.floor(Math.abs(x) + 0.5);

type Quantized = Target & { readonly dtype: "int8" | "uint8"; readonly quantization: ActivationQuantization };

/** Type, zero point and ends of an operator's codes, its fused activation among them. */
function codesOf(node: NodeContext, { dtype, quantization }: Quantized, activation: number) {
  const { scale, zeroPoint } = quantization;
  const [low, high] = dtype === "int8" ? [-128, 127] : [0, 255];
  const end = (real: number) =>
    Number.isFinite(real) ? zeroPoint + rounded(Math.fround(real / Math.fround(scale))) : real;
  const [min, max] = node.clampOf(activation) ?? [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY];
  return { dtype, zeroPoint, min: Math.max(low, end(min)), max: Math.min(high, end(max)) };
}

const isQuantized = (target: Target): target is Quantized => target.quantization !== undefined;

/** A layer over codes: int32 sums, and what ends them. Undefined for other roundings, floats, and activations that are no clamp. */
export function fixedLayer<K extends "conv2d" | "dense">(
  node: NodeContext,
  op: K,
  [x, weight]: readonly [x: string, weight: string],
  attributes: Omit<Attributes[K], "clamp">,
  activation: number,
): string | undefined {
  const target = node.target();
  const input = node.info(x).quantization;
  if (node.rounding !== "reference" || !isQuantized(target) || !input) return undefined;
  if (activation !== 0 && !node.clampOf(activation)) return undefined;
  const scales = node.tensor(1).quantization!.scale;
  // The reference multiplies both scales as floats where its kernels have one scale for all channels.
  const isFloatProduct = node.tensor(0).type === TensorType.UINT8 || (op === "dense" && scales.length === 1);
  const factors = [...scales].map((scale) => {
    const product = input.scale * scale;
    return factorOf(node, (isFloatProduct ? Math.fround(product) : product) / target.quantization.scale);
  });
  const int32 = (part: string, numbers: ArrayLike<number | bigint>) =>
    node.store(part, {
      kind: "plain",
      dtype: "int32",
      shape: [numbers.length],
      data: Int32Array.from(numbers as ArrayLike<number>, Number),
    });
  const bias = node.has(2) ? node.constant(2) : undefined;
  if (bias && bias.dtype !== "int32") return undefined;
  const sums = node.step("sums", op, [x, weight], attributes as never, { dtype: "int32" });
  return node.main(
    "fixedRequantize",
    [
      sums,
      int32(
        "multiplier",
        factors.map(({ multiplier }) => multiplier),
      ),
      int32(
        "exponent",
        factors.map(({ exponent }) => exponent),
      ),
      ...(bias ? [int32("bias", bias.data)] : []),
    ],
    { ...codesOf(node, target, activation), rounded: op === "dense" ? "once" : "twice" },
    target,
  );
}

/** a + b on codes; undefined where that is not how the reference adds them. */
export function fixedAdd(node: NodeContext, activation: number): string | undefined {
  const target = node.target();
  if (node.rounding !== "reference" || !isQuantized(target) || node.constant(0) || node.constant(1)) return undefined;
  const names = [node.value(0), node.value(1)] as const;
  const [a, b] = names.map((name) => node.info(name)) as [ReturnType<typeof node.info>, ReturnType<typeof node.info>];
  const fits = a.dtype === target.dtype && b.dtype === target.dtype && String(a.shape) === String(b.shape);
  if (!fits || !a.quantization || !b.quantization) return undefined;
  const common = 2 * Math.max(a.quantization.scale, b.quantization.scale);
  const factors = [
    factorOf(node, a.quantization.scale / common),
    factorOf(node, b.quantization.scale / common),
    factorOf(node, common / (2 ** 20 * target.quantization.scale)),
  ];
  return node.main(
    "fixedAdd",
    names,
    {
      ...codesOf(node, target, activation),
      multipliers: factors.map(({ multiplier }) => multiplier),
      exponents: factors.map(({ exponent }) => exponent),
      zeroPoints: [a.quantization.zeroPoint, b.quantization.zeroPoint],
    },
    target,
  );
}

/** The mean of codes; undefined where x and y have other scales. */
export function fixedAverage(node: NodeContext, x: string, window: Window2d, activation: number): string | undefined {
  const target = node.target();
  const { dtype, quantization } = node.info(x);
  if (node.rounding !== "reference" || !isQuantized(target) || dtype !== target.dtype || !quantization)
    return undefined;
  const { scale, zeroPoint } = target.quantization;
  if (quantization.scale !== scale || quantization.zeroPoint !== zeroPoint) return undefined;
  return node.main("fixedAverage", [x], { ...codesOf(node, target, activation), ...window }, target);
}
