/**
 * The Graph: the one small typed representation between every importer, pass, quantizer and the runtime.
 *
 * Conventions: activations are NHWC, convolution weights OHWI, dense weights [N, K]; a value is written once (SSA);
 * constants are tensors, plain or quantized; every other value has a {@link ValueInfo}. Shapes may hold symbolic
 * dimensions (a string such as "N"), which the plan binds at run time.
 */

import type { AddPositionsAttributes } from "../ops/add-positions.ts";
import type { ArithmeticAttributes } from "../ops/arithmetic-attributes.ts";
import type { AttentionAttributes } from "../ops/attention.ts";
import type { CenterCropPadAttributes } from "../ops/center-crop-pad.ts";
import type { ChannelNormAttributes } from "../ops/channel-norm.ts";
import type { ChannelStatisticsAttributes } from "../ops/channel-statistics.ts";
import type { DequantizeLinearAttributes } from "../ops/dequantize-linear.ts";
import type { DynamicQuantizeLinearAttributes } from "../ops/dynamic-quantize-linear.ts";
import type { EmbeddingAttributes } from "../ops/embedding.ts";
import type { ExpandAttributes } from "../ops/expand.ts";
import type { FillAttributes } from "../ops/fill.ts";
import type { FixedAddAttributes } from "../ops/fixed-add.ts";
import type { FixedAverageAttributes } from "../ops/fixed-average.ts";
import type { FixedRequantizeAttributes } from "../ops/fixed-requantize.ts";
import type { FoldAttributes } from "../ops/fold.ts";
import type { GatherAttributes } from "../ops/gather.ts";
import type { GatherElementsAttributes } from "../ops/gather-elements.ts";
import type { GatherNdAttributes } from "../ops/gather-nd.ts";
import type { GeluAttributes } from "../ops/gelu.ts";
import type { GruAttributes } from "../ops/gru.ts";
import type { IdentityAttributes } from "../ops/identity.ts";
import type { JoinAttributes } from "../ops/join.ts";
import type { LayerNormAttributes } from "../ops/layer-norm.ts";
import type { LocalResponseAttributes } from "../ops/local-response.ts";
import type { LstmAttributes } from "../ops/lstm.ts";
import type { MaskedMeanAttributes } from "../ops/masked-mean.ts";
import type { MatmulIntegerAttributes } from "../ops/matmul-integer.ts";
import type { NarrowFloatAttributes } from "../ops/narrow-float.ts";
import type { OneHotAttributes } from "../ops/one-hot.ts";
import type { PadNdAttributes } from "../ops/pad-nd.ts";
import type { PlaneNormAttributes } from "../ops/plane-norm.ts";
import type { PoolNdAttributes } from "../ops/pool-nd.ts";
import type { QuantizeLinearAttributes } from "../ops/quantize-linear.ts";
import type { RangeAttributes } from "../ops/range.ts";
import type { RequantizeAttributes } from "../ops/requantize.ts";
import type { ReshapeToAttributes } from "../ops/reshape-to.ts";
import type { ResizeAttributes } from "../ops/resize.ts";
import type { RmsNormAttributes } from "../ops/rms-norm.ts";
import type { RnnAttributes } from "../ops/rnn.ts";
import type { RotaryAttributes } from "../ops/rotary.ts";
import type { ScatterElementsAttributes } from "../ops/scatter-elements.ts";
import type { ScatterNdAttributes } from "../ops/scatter-nd.ts";
import type { ShapeAttributes } from "../ops/shape.ts";
import type { SiluAttributes } from "../ops/silu.ts";
import type { SliceAttributes } from "../ops/slice.ts";
import type { SplitAttributes } from "../ops/split.ts";
import type { TileAttributes } from "../ops/tile.ts";
import type { TriluAttributes } from "../ops/trilu.ts";
import type { UnfoldAttributes } from "../ops/unfold.ts";

/**
 * Element types. `bit` is one sign plane (bit 1 = -1, bit 0 = +1), `trit` a sign plane followed by a non-zero plane
 * (what ONNX `Sign` yields where 0 is reachable); both are packed along the last axis into little-endian 32-bit words.
 */
export type DType = keyof DataOf | "bit" | "trit";

/** A size, or the name of one that is known only at run time (`"N"`). */
export type Dim = number | string;

/** Affine quantization of a whole activation tensor: real = (q - zeroPoint) * scale. */
export interface ActivationQuantization {
  readonly scale: number;
  readonly zeroPoint: number;
}

/** What is known of a value that is not a constant. */
export interface ValueInfo {
  readonly dtype: DType;
  readonly shape: readonly Dim[];
  /** Present exactly where dtype is int8 or uint8 and the value stands for reals. */
  readonly quantization?: ActivationQuantization;
}

/** Backing arrays by dtype; f16 is kept as its 16-bit pattern, bool as 0 / 1. */
export interface DataOf {
  f32: Float32Array;
  f16: Uint16Array;
  int8: Int8Array;
  uint8: Uint8Array;
  int32: Int32Array;
  int64: BigInt64Array;
  bool: Uint8Array;
  f64: Float64Array;
  int16: Int16Array;
  uint16: Uint16Array;
  uint32: Uint32Array;
  uint64: BigUint64Array;
}

/** What `cast` goes between; other types are for `lowbit/ops`. */
export type CastType = Exclude<keyof DataOf, "f64" | "int16" | "uint16" | "uint32" | "uint64">;

/** A constant whose elements are stored as they are, row-major. */
export interface PlainConstant {
  readonly kind: "plain";
  readonly dtype: keyof DataOf;
  readonly shape: readonly number[];
  readonly data: DataOf[keyof DataOf];
}

/**
 * How a code becomes a weight. Index (n, k) = row (output channel) and position in the row of the tensor seen as
 * [N, K] (axis 0 by the rest); g = floor(k / groupSize).
 * - `sign`:    w = (code ? -1 : +1) * scale[n, g]
 * - `affine`:  w = (code - zeroPoint) * scale[n, g]; codes unsigned, zeroPoint one integer for the tensor, or an array shaped as scale
 * - `offset`:  w = code * scale[n, g] + offset[n, g], rounded to f32 after the product and after the sum; offset shaped as scale
 * - `bases`:   w = ((±a_0 ± a_1) ± a_2 ...) with a_i = coefficients[n, g, i] * scale[n, g], each step rounded to f32; + where bit i of the code is 0
 * - `table`:   w = codebook[code] * scale[n, g] (scale absent: 1)
 * - `product`: sub-vector s of row n (d weights, K divisible by d) = codebook[code[n, s], 0..d) * scale[n, g] (scale absent: 1)
 * - `additive`: the same with `count` codes for each sub-vector, whose entries of as many codebooks are added in order (each sum rounded to f32) before the scale
 * - `hashed`:  no codes; w = ±values[h mod length] * scale[n, g], index and sign by a hash of the position i = n * K + k (`hashWord` in graph/decode.ts)
 */
export type Decoding =
  | { readonly kind: "sign" }
  | { readonly kind: "affine"; readonly zeroPoint: number | Int32Array }
  | { readonly kind: "offset"; readonly offset: Float32Array }
  | { readonly kind: "bases"; readonly coefficients: Float32Array }
  | { readonly kind: "table"; readonly codebook: Float32Array }
  | { readonly kind: "product"; readonly codebook: Float32Array; readonly dimension: number }
  | {
      readonly kind: "additive";
      /** [count, entries, dimension] */
      readonly codebook: Float32Array;
      readonly dimension: number;
      readonly count: number;
    }
  | { readonly kind: "hashed"; readonly values: Float32Array; readonly seed: number };

/** A constant stored as codes. */
export interface QuantizedConstant {
  readonly kind: "quantized";
  /** What it stands for, in the command line's spelling: `binary`, `int4:g32`, `kmeans:16`, `pq:4x16` ... */
  readonly scheme: string;
  /** Logical shape; axis 0 is the output channel. */
  readonly shape: readonly number[];
  /** Bits per code, 1..8; 0 where there are none (`hashed`). */
  readonly bits: number;
  /** Codes, least significant bit first, row after row; each row of codes starts on a byte, spare bits are 0. */
  readonly codes: Uint8Array;
  readonly decoding: Decoding;
  /** Row-major [N or 1, groups]: one row of scales per output channel, or one for the tensor. */
  readonly scale?: Float32Array;
  /** [N or 1, groups]; groups = ceil(K / groupSize). */
  readonly scaleShape?: readonly [number, number];
  /** Weights of a row that share a scale; K where the whole row does. */
  readonly groupSize?: number;
}

export type Constant = PlainConstant | QuantizedConstant;

/** Real-valued clamp fused behind an operator (ReLU is [0, Infinity]). */
export type Clamp = readonly [min: number, max: number];

export interface Window2d {
  /** [height, width] */
  readonly kernel: readonly [number, number];
  readonly strides: readonly [number, number];
  readonly dilations: readonly [number, number];
  /** [top, left, bottom, right] */
  readonly pads: readonly [number, number, number, number];
}

/**
 * Attributes of every operator. Inputs are named in the comment, optional ones with "?".
 *
 * conv2d and dense: y = clamp(sum x * w + bias). The type of x, the weight's decoding and the type of y choose the
 * kernel: f32 x any weights -> f32; int8 x affine / sign weights -> f32, int8 (requantized) or int32; bit or trit x sign weights ->
 * f32 or int32. **An int32 result is the sum over the codes' integers ((code - zeroPoint) or ±1, x - its zero point), without scale or
 * bias**, which is what `threshold` and `affine` take.
 */
export interface Attributes {
  /** x [N,H,W,C], weight [O,kh,kw,C/groups], bias? [O] f32 -> [N,H',W',O]. Padding is real 0 (`zero`) or +1 (`one`, bits only). */
  conv2d: Window2d & { readonly groups: number; readonly padding: "zero" | "one"; readonly clamp?: Clamp };
  /**
   * x [..., K], weight [N, K], bias? [N] f32 -> [..., N]. With `activations`, x is f32 and each of its rows is quantized to int8 by its own largest magnitude when it
   * comes: q = roundTiesToEven(x * (127 / max |x|)), and y = clamp(fround(fround(sum over groups of fround(int32 sum * weight scale)) * (max |x| / 127)) + bias), for weights by
   * affine codes or signs.
   */
  dense: { readonly clamp?: Clamp; readonly activations?: "int8" };
  /** a [..., M, K], b [..., K, N] -> [..., M, N], both f32 activations */
  matmul: Record<never, never>;
  /** x int32 [..., C], thresholds int32 [C] -> bit [..., C]: bit = x < threshold (i.e. -1 below it) */
  threshold: Record<never, never>;
  /** x f32 or int32 [..., C], scale [C], bias [C] -> f32: fround(fround(x * scale) + bias), then clamp */
  affine: { readonly clamp?: Clamp };
  /** x f32 -> f32 {-1,0,1}, or trit, or bit (only where the importer proved that 0 cannot be reached); sign(NaN) = 0 */
  sign: Record<never, never>;
  /** x f32 -> int8 | uint8: clamp(roundTiesToEven(x / scale) + zeroPoint) with the output's quantization */
  quantize: Record<never, never>;
  /** x int8 | uint8 -> f32 */
  dequantize: Record<never, never>;
  maxPool: Window2d;
  avgPool: Window2d & { readonly countIncludePad: boolean };
  /** [N,H,W,C] -> [N,1,1,C] */
  globalAvgPool: Record<never, never>;
  /** x [..., C], scale, bias, mean, variance all [C]: (x - mean) / sqrt(variance + epsilon) * scale + bias */
  batchNorm: { readonly epsilon: number };
  /** Two inputs with numpy broadcasting. */
  add: Record<never, never>;
  sub: Record<never, never>;
  mul: Record<never, never>;
  div: Record<never, never>;
  /** relu is clamp [0, Infinity] */
  clip: { readonly min: number; readonly max: number };
  leakyRelu: { readonly alpha: number };
  sigmoid: Record<never, never>;
  tanh: Record<never, never>;
  softmax: { readonly axis: number };
  /** Same elements, new shape; at most one -1; 0 copies the input's dimension. */
  reshape: { readonly shape: readonly Dim[] };
  transpose: { readonly permutation: readonly number[] };
  concat: { readonly axis: number };
  /** pads = [before of each axis..., after of each axis...] */
  pad: { readonly pads: readonly number[]; readonly value: number };
  cast: { readonly to: CastType };
}

export type Op = keyof Attributes;

/** Attributes of the operators of `lowbit/ops`, each described in its file there. */
export interface OpsAttributes extends ArithmeticAttributes {
  addPositions: AddPositionsAttributes;
  attention: AttentionAttributes;
  embedding: EmbeddingAttributes;
  gelu: GeluAttributes;
  layerNorm: LayerNormAttributes;
  maskedMean: MaskedMeanAttributes;
  rmsNorm: RmsNormAttributes;
  rotary: RotaryAttributes;
  silu: SiluAttributes;
  centerCropPad: CenterCropPadAttributes;
  gather: GatherAttributes;
  gatherElements: GatherElementsAttributes;
  gatherNd: GatherNdAttributes;
  join: JoinAttributes;
  oneHot: OneHotAttributes;
  range: RangeAttributes;
  reshapeTo: ReshapeToAttributes;
  scatterElements: ScatterElementsAttributes;
  scatterNd: ScatterNdAttributes;
  trilu: TriluAttributes;
  expand: ExpandAttributes;
  fill: FillAttributes;
  identity: IdentityAttributes;
  padNd: PadNdAttributes;
  shape: ShapeAttributes;
  split: SplitAttributes;
  tile: TileAttributes;
  slice: SliceAttributes;
  channelNorm: ChannelNormAttributes;
  channelStatistics: ChannelStatisticsAttributes;
  dequantizeLinear: DequantizeLinearAttributes;
  dynamicQuantizeLinear: DynamicQuantizeLinearAttributes;
  fixedAdd: FixedAddAttributes;
  fixedAverage: FixedAverageAttributes;
  fixedRequantize: FixedRequantizeAttributes;
  fold: FoldAttributes;
  gru: GruAttributes;
  localResponse: LocalResponseAttributes;
  lstm: LstmAttributes;
  matmulInteger: MatmulIntegerAttributes;
  narrowFloat: NarrowFloatAttributes;
  planeNorm: PlaneNormAttributes;
  poolNd: PoolNdAttributes;
  quantizeLinear: QuantizeLinearAttributes;
  requantize: RequantizeAttributes;
  resize: ResizeAttributes;
  rnn: RnnAttributes;
  unfold: UnfoldAttributes;
}

/** An operator of `lowbit/ops`. */
export type OpsOp = keyof OpsAttributes;

interface NodeWith<K extends string, A> {
  readonly op: K;
  /** Unique in the graph; the importer keeps the source's name. */
  readonly name: string;
  /** Names of values or constants; "" stands for an absent optional input. */
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes: A;
}

/** A node of an operator that every model may have. */
export type BuiltInNode = { [K in Op]: NodeWith<K, Attributes[K]> }[Op];

/** A node of an operator of `lowbit/ops`, which `loadModel` fetches where a graph has one. */
export type OpsNode = { [K in OpsOp]: NodeWith<K, OpsAttributes[K]> }[OpsOp];

/** Name of an operator from outside: `<owner>.<operator>`, e.g. `acme.hard_swish`. */
export type CustomOp = `${string}.${string}`;

/** A value that JSON holds. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

/** Attributes of an operator from outside: what JSON holds, for they travel in the packed file. */
export type CustomAttributes = Readonly<Record<string, Json>>;

/** A node of an operator that `registerOp` made known; a graph with one whose operator is not registered is refused by name. */
export type CustomNode<A = CustomAttributes> = NodeWith<CustomOp, A>;

/** One operator at work. */
export type Node = BuiltInNode | OpsNode | CustomNode;

/** Attributes of any operator by its name. */
export type AttributesOf<K extends Node["op"]> = K extends Op
  ? Attributes[K]
  : K extends OpsOp
    ? OpsAttributes[K]
    : CustomAttributes;

export type NodeOf<K extends Op | OpsOp> = Extract<BuiltInNode | OpsNode, { op: K }>;

/** Preprocessing from an image to an input: resize, x = (pixel - mean) / std per channel, layout. */
export interface ImagePreprocessing {
  readonly width: number;
  readonly height: number;
  readonly channels: "gray" | "rgb" | "bgr";
  readonly layout: "NHWC" | "NCHW";
  readonly mean: readonly number[];
  readonly std: readonly number[];
  /** White digits on black from black ink on white. */
  readonly invert?: boolean;
}

export interface Graph {
  readonly name: string;
  /** Names of the inputs, in order; each has an entry in `values`. */
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  /** In an order in which every value is written before it is read. */
  readonly nodes: readonly Node[];
  readonly values: ReadonlyMap<string, ValueInfo>;
  readonly constants: ReadonlyMap<string, Constant>;
  /** Class names of the first output's last axis. */
  readonly labels?: readonly string[];
  /** By input name. */
  readonly preprocessing?: Readonly<Record<string, ImagePreprocessing>>;
}
