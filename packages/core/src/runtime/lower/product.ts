/**
 * Which kernel multiplies: decided by the type of x, the decoding of the weight and the type of y, and by nothing else.
 * docs/architecture.md has the table.
 */
import type { Clamp, NodeOf, QuantizedConstant, ValueInfo } from "../../graph/types.ts";
import { AffineGemm, DynamicAffineGemm, GroupedAffineGemm } from "../../kernels/affine-gemm.ts";
import { CodebookGemm } from "../../kernels/codebook-gemm.ts";
import { GemmF32 } from "../../kernels/gemm-f32.ts";
import type { KernelObject } from "../../kernels/kernel-object.ts";
import type { Output } from "../../kernels/output.ts";
import { TernaryGemm } from "../../kernels/ternary-gemm.ts";
import { XnorGemm } from "../../kernels/xnor-gemm.ts";
import { sizeOf } from "../../tensor.ts";
import type { LoweringContext } from "./context.ts";
import { outputOf, quantizedClamp } from "./requantize.ts";
import { type CodedRows, codedRows, isGrouped, isTernary, rowScales, ternaryCodes } from "./weights.ts";

/**
 * Longest row of a ternary convolution that `affine_gemm` takes. `ternary_gemm` streams weights for one row of x at a time and pads them to 64: over the many
 * rows of an image the other takes 0.4 (K = 9) to 0.75 (K = 288) of its time. Beyond, the quarter of the memory counts for more.
 */
export const MANY_ROWS_K = 512;

/** A kernel object over packed rows of weights: y[rows, n] from x[rows, k]. */
export type Product = KernelObject & { run(x: number, rows: number, y: number): void };

/** What follows the sum in the same kernel call. */
export interface Tail {
  /** Value that the fused nodes end in. */
  readonly output: string;
  /** Names of the nodes in the call, the product's first. */
  readonly nodes: readonly string[];
  /** Where a node behind the product ends it: its thresholds, or scale and bias. */
  readonly end?:
    | { readonly kind: "bits"; readonly thresholds: Int32Array }
    | {
        readonly kind: "f32";
        readonly scale: Float32Array;
        readonly bias: Float32Array;
        readonly clamp: Clamp | undefined;
      };
}

/** The nodes behind an integer product that its kernel does in the same call. */
export function tailOf(node: NodeOf<"dense" | "conv2d">, context: LoweringContext): Tail {
  const name = node.outputs[0]!;
  const alone: Tail = { output: name, nodes: [node.name] };
  if (context.info(name).dtype !== "int32") return alone;
  const threshold = context.soleConsumer(name, "threshold");
  if (threshold) {
    const thresholds = context.plain(threshold.inputs[1]!).data as Int32Array;
    return { output: threshold.outputs[0]!, nodes: [node.name, threshold.name], end: { kind: "bits", thresholds } };
  }
  const affine = context.soleConsumer(name, "affine");
  if (!affine) return alone;
  const [, scale, bias] = affine.inputs;
  return {
    output: affine.outputs[0]!,
    nodes: [node.name, affine.name],
    end: {
      kind: "f32",
      scale: context.floats(scale)!,
      bias: context.floats(bias)!,
      clamp: affine.attributes.clamp,
    },
  };
}

/** Rows `first` to `first + count` of a node's weight and of everything that belongs to its channels. */
export interface Part {
  readonly first: number;
  readonly count: number;
  /** Runs of a row that each start a new word in packed activations: taps of a convolution, pixels of a flattened image, else 1. */
  readonly taps: number;
}

export interface MadeProduct {
  /** Kernel family. */
  readonly kernel: string;
  readonly object: Product;
}

/** @returns undefined after noting in `context` why there is no kernel */
export function makeProduct(
  node: NodeOf<"dense" | "conv2d">,
  context: LoweringContext,
  tail: Tail,
  part: Part,
): MadeProduct | undefined {
  const { instance } = context;
  const x = context.info(node.inputs[0]!);
  const y = context.info(tail.output);
  const weight = context.constant(node.inputs[1]!);
  const slice = <T extends Float32Array | Int32Array>(data: T): T =>
    data.subarray(part.first, part.first + part.count) as T;
  const all = context.floats(node.inputs[2]);
  const bias = all && slice(all);
  const { clamp } = node.attributes;

  if (weight.kind === "plain") {
    if (node.op === "dense" && node.attributes.activations)
      return context.refuse(node, `activations int8 x ${weight.dtype} weights`);
    if (x.dtype !== "f32" || y.dtype !== "f32" || (weight.dtype !== "f32" && weight.dtype !== "f16"))
      return context.refuse(node, `${x.dtype} x ${weight.dtype} weights -> ${y.dtype}`);
    const k = sizeOf(weight.shape.slice(1));
    const weights = context.floats(node.inputs[1])!.subarray(part.first * k, (part.first + part.count) * k);
    return { kernel: "gemm_f32", object: new GemmF32(instance, { n: part.count, k, weights, bias, clamp }) };
  }

  const rows = codedRows(weight, part.first, part.count);
  if (node.op === "dense" && node.attributes.activations) return dynamicProduct(node, context, rows, bias, clamp);
  if (x.dtype === "f32") {
    if (y.dtype !== "f32") return context.refuse(node, `f32 x ${weight.scheme} -> ${y.dtype}`);
    return { kernel: "codebook_gemm", object: new CodebookGemm(instance, { ...rows, bias, clamp }) };
  }
  return integerProduct(node, context, { x, y, rows, weight, bias, clamp, part, end: endOf(tail, slice) });
}

/** Rows of floats that are quantized as they come. */
function dynamicProduct(
  node: NodeOf<"dense">,
  context: LoweringContext,
  rows: CodedRows,
  bias: Float32Array | undefined,
  clamp: Clamp | undefined,
): MadeProduct | undefined {
  const { decoding, scaleShape, scale, groupSize } = rows;
  if (decoding.kind !== "affine" && !isTernary(rows))
    return context.refuse(node, `activations int8 x weights (${decoding.kind})`);
  const codes = decoding.kind === "affine" ? { ...rows, zeroPoint: decoding.zeroPoint } : ternaryCodes(rows, 2);
  const full = Float32Array.from({ length: rows.n * scaleShape[1] }, (_, i) => (scale ? scale[i % scale.length]! : 1));
  const options = { ...codes, groupSize, scale: full, bias, clamp };
  return { kernel: "affine_gemm", object: new DynamicAffineGemm(context.instance, options) };
}

/** The tail's arrays, cut to the rows of a group. */
function endOf(tail: Tail, slice: <T extends Float32Array | Int32Array>(data: T) => T): Output | undefined {
  const { end } = tail;
  if (!end) return undefined;
  if (end.kind === "bits") return { kind: "bits", thresholds: slice(end.thresholds) };
  const { scale, bias, clamp } = end;
  return { kind: "f32", scale: slice(scale), bias: slice(bias), ...(clamp && { clamp }) };
}

interface IntegerCase {
  readonly x: ValueInfo;
  readonly y: ValueInfo;
  readonly rows: CodedRows;
  readonly weight: QuantizedConstant;
  readonly bias: Float32Array | undefined;
  readonly clamp: Clamp | undefined;
  readonly part: Part;
  readonly end: Output | undefined;
}

function integerProduct(
  node: NodeOf<"dense" | "conv2d">,
  context: LoweringContext,
  { x, y, rows, weight, bias, clamp, part, end }: IntegerCase,
): MadeProduct | undefined {
  const { instance } = context;
  const packed = x.dtype === "bit" || x.dtype === "trit";
  const { decoding } = rows;
  const what = `${x.dtype} x ${weight.scheme} (${decoding.kind}) -> ${y.dtype}`;
  if (!packed && !x.quantization) return context.refuse(node, `${what}: x has no scale`);
  const unit = packed ? 1 : x.quantization!.scale;

  if (isGrouped(rows) && (y.dtype !== "int32" || end)) {
    if (packed || decoding.kind !== "affine" || end)
      return context.refuse(node, `${what} with groups of ${rows.groupSize}`);
    return groupedProduct(node, context, { x, y, rows, weight, bias, clamp, part, end });
  }
  const output = end ?? outputOf(y, { scale: rowScales(rows, unit), bias, clamp });
  if (!output) return context.refuse(node, what);

  if (packed) {
    if (decoding.kind !== "sign") return context.refuse(node, what);
    const { n, k, codes } = rows;
    const { taps } = part;
    const object = new XnorGemm(instance, { n, channels: k / taps, taps, codes, x: x.dtype as "bit" | "trit", output });
    return { kernel: "xnor_gemm", object };
  }
  const activations = { dtype: x.dtype as "int8" | "uint8", zeroPoint: x.quantization!.zeroPoint };
  const { n, k, bits, codes } = rows;
  if (isTernary(rows)) {
    if (node.op === "conv2d" && k <= MANY_ROWS_K) {
      // Relaxed dots take 2-bit codes as they are; others widen them first, which whole bytes save.
      const codes = ternaryCodes(rows, instance.tier === "relaxed" ? 2 : 8);
      return { kernel: "affine_gemm", object: new AffineGemm(instance, { ...codes, x: activations, output }) };
    }
    const zeroPoint = decoding.kind === "affine" ? decoding.zeroPoint : "sign";
    const object = new TernaryGemm(instance, { n, k, bits, codes, zeroPoint, x: activations, output });
    return { kernel: "ternary_gemm", object };
  }
  if (decoding.kind !== "affine") return context.refuse(node, what);
  const { zeroPoint } = decoding;
  const options = { n, k, bits, codes, zeroPoint, x: activations, output };
  return { kernel: "affine_gemm", object: new AffineGemm(instance, options) };
}

/** Scales per group of a row: sums of each group are scaled before they are added. */
function groupedProduct(
  node: NodeOf<"dense" | "conv2d">,
  context: LoweringContext,
  { x, y, rows, bias, clamp }: IntegerCase,
): MadeProduct | undefined {
  const { n, k, bits, codes, groupSize, scale, scaleShape, decoding } = rows;
  if (decoding.kind !== "affine" || !scale || !x.quantization) return context.refuse(node, "groups without scales");
  const groups = scaleShape[1];
  const full = Float32Array.from({ length: n * groups }, (_, i) => scale[i % scale.length]! * x.quantization!.scale);
  const activations = { dtype: x.dtype as "int8" | "uint8", zeroPoint: x.quantization.zeroPoint };
  const common = { n, k, bits, codes, zeroPoint: decoding.zeroPoint, x: activations, groupSize, scale: full };
  if (y.dtype === "f32")
    return {
      kernel: "affine_gemm",
      object: new GroupedAffineGemm(context.instance, { ...common, output: { kind: "f32", bias, clamp } }),
    };
  if (!y.quantization) return context.refuse(node, `groups of ${groupSize} -> ${y.dtype}`);
  const output = {
    kind: "int8" as const,
    bias,
    ...y.quantization,
    clamp: quantizedClamp(y.dtype as "int8" | "uint8", y.quantization, clamp),
  };
  return { kernel: "affine_gemm", object: new GroupedAffineGemm(context.instance, { ...common, output }) };
}
