/**
 * The tables of TensorFlow Lite's `schema.fbs` (version 3, identifier TFL3) that an import reads, each field by its slot,
 * which is its place in that file (a union takes two). Fields that nothing here needs are left out.
 */
import * as f from "./flatbuffer.ts";

/** Options of every operator that has any, by its options' table. */
export const Conv2DOptions = {
  padding: f.int8(0),
  strideWidth: f.int32(1),
  strideHeight: f.int32(2),
  activation: f.int8(3),
  dilationWidth: f.int32(4, 1),
  dilationHeight: f.int32(5, 1),
};
export const DepthwiseConv2DOptions = {
  padding: f.int8(0),
  strideWidth: f.int32(1),
  strideHeight: f.int32(2),
  activation: f.int8(4),
  dilationWidth: f.int32(5, 1),
  dilationHeight: f.int32(6, 1),
};
export const Pool2DOptions = {
  padding: f.int8(0),
  strideWidth: f.int32(1),
  strideHeight: f.int32(2),
  filterWidth: f.int32(3),
  filterHeight: f.int32(4),
  activation: f.int8(5),
};
export const FullyConnectedOptions = { activation: f.int8(0), weightsFormat: f.int8(1), keepDims: f.flag(2) };
export const SoftmaxOptions = { beta: f.float32(0) };
export const ConcatenationOptions = { axis: f.int32(0), activation: f.int8(1) };
/** AddOptions, SubOptions, MulOptions, DivOptions. */
export const ArithmeticOptions = { activation: f.int8(0) };
export const ReshapeOptions = { shape: f.int32s(0) };
export const ReducerOptions = { keepDims: f.flag(0) };
export const SqueezeOptions = { axes: f.int32s(0) };
export const LeakyReluOptions = { alpha: f.float32(0) };
export const PackOptions = { count: f.int32(0), axis: f.int32(1) };
export const StridedSliceOptions = {
  beginMask: f.int32(0),
  endMask: f.int32(1),
  ellipsisMask: f.int32(2),
  newAxisMask: f.int32(3),
  shrinkAxisMask: f.int32(4),
  offset: f.flag(5),
};
export const GeluOptions = { approximate: f.flag(0) };
export const GatherOptions = { axis: f.int32(0), batchDims: f.int32(1) };
export const BatchMatMulOptions = { adjointX: f.flag(0), adjointY: f.flag(1) };

const QuantizationParameters = { scale: f.float32s(2), zeroPoint: f.int64s(3), details: f.uint8(4), axis: f.int32(6) };

const Tensor = {
  shape: f.int32s(0),
  type: f.int8(1),
  buffer: f.uint32(2),
  name: f.string(3),
  quantization: f.tableOf(4, QuantizationParameters),
  isVariable: f.flag(5),
  sparsity: f.union(6),
  shapeSignature: f.int32s(7),
};

const Operator = {
  opcode: f.uint32(0),
  inputs: f.int32s(1),
  outputs: f.int32s(2),
  options: f.union(4),
  customOptions: f.bytes(5),
};

const SubGraph = {
  tensors: f.tablesOf(0, Tensor),
  inputs: f.int32s(1),
  outputs: f.int32s(2),
  operators: f.tablesOf(3, Operator),
  name: f.string(4),
};

const OperatorCode = { oldCode: f.int8(0), customCode: f.string(1), version: f.int32(2, 1), code: f.int32(3) };

/** `offset` and `size` place the data behind the FlatBuffer, for files over 2 GB. */
const Buffer = { data: f.bytes(0), offset: f.uint64(1), size: f.uint64(2) };

export const Model = {
  version: f.uint32(0),
  operatorCodes: f.tablesOf(1, OperatorCode),
  subgraphs: f.tablesOf(2, SubGraph),
  description: f.string(3),
  buffers: f.tablesOf(4, Buffer),
};

export type ModelTable = f.Decoded<typeof Model>;
export type TensorTable = f.Decoded<typeof Tensor>;
export type OperatorTable = f.Decoded<typeof Operator>;

/** Names of the enum `BuiltinOperator` by value. */
export const BUILTIN_OPERATORS: readonly string[] = (
  "ADD AVERAGE_POOL_2D CONCATENATION CONV_2D DEPTHWISE_CONV_2D DEPTH_TO_SPACE DEQUANTIZE EMBEDDING_LOOKUP FLOOR FULLY_CONNECTED " +
  "HASHTABLE_LOOKUP L2_NORMALIZATION L2_POOL_2D LOCAL_RESPONSE_NORMALIZATION LOGISTIC LSH_PROJECTION LSTM MAX_POOL_2D MUL RELU " +
  "RELU_N1_TO_1 RELU6 RESHAPE RESIZE_BILINEAR RNN SOFTMAX SPACE_TO_DEPTH SVDF TANH CONCAT_EMBEDDINGS SKIP_GRAM CALL CUSTOM " +
  "EMBEDDING_LOOKUP_SPARSE PAD UNIDIRECTIONAL_SEQUENCE_RNN GATHER BATCH_TO_SPACE_ND SPACE_TO_BATCH_ND TRANSPOSE MEAN SUB DIV " +
  "SQUEEZE UNIDIRECTIONAL_SEQUENCE_LSTM STRIDED_SLICE BIDIRECTIONAL_SEQUENCE_RNN EXP TOPK_V2 SPLIT LOG_SOFTMAX DELEGATE " +
  "BIDIRECTIONAL_SEQUENCE_LSTM CAST PRELU MAXIMUM ARG_MAX MINIMUM LESS NEG PADV2 GREATER GREATER_EQUAL LESS_EQUAL SELECT SLICE " +
  "SIN TRANSPOSE_CONV SPARSE_TO_DENSE TILE EXPAND_DIMS EQUAL NOT_EQUAL LOG SUM SQRT RSQRT SHAPE POW ARG_MIN FAKE_QUANT " +
  "REDUCE_PROD REDUCE_MAX PACK LOGICAL_OR ONE_HOT LOGICAL_AND LOGICAL_NOT UNPACK REDUCE_MIN FLOOR_DIV REDUCE_ANY SQUARE " +
  "ZEROS_LIKE FILL FLOOR_MOD RANGE RESIZE_NEAREST_NEIGHBOR LEAKY_RELU SQUARED_DIFFERENCE MIRROR_PAD ABS SPLIT_V UNIQUE CEIL " +
  "REVERSE_V2 ADD_N GATHER_ND COS WHERE RANK ELU REVERSE_SEQUENCE MATRIX_DIAG QUANTIZE MATRIX_SET_DIAG ROUND HARD_SWISH IF " +
  "WHILE NON_MAX_SUPPRESSION_V4 NON_MAX_SUPPRESSION_V5 SCATTER_ND SELECT_V2 DENSIFY SEGMENT_SUM BATCH_MATMUL " +
  "PLACEHOLDER_FOR_GREATER_OP_CODES CUMSUM CALL_ONCE BROADCAST_TO RFFT2D CONV_3D IMAG REAL COMPLEX_ABS HASHTABLE HASHTABLE_FIND " +
  "HASHTABLE_IMPORT HASHTABLE_SIZE REDUCE_ALL CONV_3D_TRANSPOSE VAR_HANDLE READ_VARIABLE ASSIGN_VARIABLE BROADCAST_ARGS " +
  "RANDOM_STANDARD_NORMAL BUCKETIZE RANDOM_UNIFORM MULTINOMIAL GELU DYNAMIC_UPDATE_SLICE RELU_0_TO_1 UNSORTED_SEGMENT_PROD " +
  "UNSORTED_SEGMENT_MAX UNSORTED_SEGMENT_SUM ATAN2 UNSORTED_SEGMENT_MIN SIGN BITCAST BITWISE_XOR RIGHT_SHIFT"
).split(" ");

/** Enum `TensorType`. */
export const TensorType = {
  FLOAT32: 0,
  FLOAT16: 1,
  INT32: 2,
  UINT8: 3,
  INT64: 4,
  STRING: 5,
  BOOL: 6,
  INT16: 7,
  COMPLEX64: 8,
  INT8: 9,
  FLOAT64: 10,
  COMPLEX128: 11,
  UINT64: 12,
  RESOURCE: 13,
  VARIANT: 14,
  UINT32: 15,
  UINT16: 16,
  INT4: 17,
  BFLOAT16: 18,
} as const;

const TYPE_NAMES = Object.fromEntries(Object.entries(TensorType).map(([name, value]) => [value, name]));

/** `INT8` for 9; the number itself where it is no type. */
export const typeName = (type: number): string => TYPE_NAMES[type] ?? `type ${type}`;

/** Enum `ActivationFunctionType`. */
export const Activation = { NONE: 0, RELU: 1, RELU_N1_TO_1: 2, RELU6: 3, TANH: 4, SIGN_BIT: 5 } as const;

/** Enum `Padding`. */
export const Padding = { SAME: 0, VALID: 1 } as const;
