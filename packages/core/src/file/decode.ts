/** From JSON and tensors to a graph. Types are checked here; what they mean together is graph/validate.ts's work. */
import { FormatError } from "../errors.ts";
import { matrixSize } from "../graph/constants.ts";
import { isCustomOp } from "../graph/operators.ts";
import type {
  Constant,
  DataOf,
  Decoding,
  Dim,
  DType,
  Graph,
  ImagePreprocessing,
  Node,
  PlainConstant,
  QuantizedConstant,
  ValueInfo,
} from "../graph/types.ts";
import { arrayOf, bytesOf, sizeOf } from "../tensor.ts";
import type { Expand } from "./expand.ts";
import type { Field } from "./fields.ts";
import type { Json } from "./json.ts";
import type { RawTensor, SafetensorsDType } from "./safetensors.ts";

/** Ours by the file's. */
export const dtypes: Partial<Record<SafetensorsDType, PlainConstant["dtype"]>> = {
  F32: "f32",
  F16: "f16",
  I8: "int8",
  U8: "uint8",
  I32: "int32",
  I64: "int64",
  BOOL: "bool",
  F64: "f64",
  I16: "int16",
  U16: "uint16",
  U32: "uint32",
  U64: "uint64",
};

type Tensors = ReadonlyMap<string, RawTensor>;

/** @param expand absent: no constant may be packed, as in version 1 */
export function decodeGraph(json: Field, tensors: Tensors, expand?: Expand): Graph {
  const labels = json.get("labels");
  const preprocessing = json.get("preprocessing");
  return {
    name: json.get("name").string(),
    inputs: json.get("inputs").strings(),
    outputs: json.get("outputs").strings(),
    nodes: json.get("nodes").list().map(decodeNode),
    values: named(json.get("values"), decodeValue),
    constants: named(json.get("constants"), (entry) => decodeConstant(entry, tensors, expand)),
    ...(labels.isPresent && { labels: labels.strings() }),
    ...(preprocessing.isPresent && {
      preprocessing: Object.fromEntries(
        preprocessing.list().map((entry) => [entry.get("input").string(), decodePreprocessing(entry)]),
      ),
    }),
  };
}

/** A list of objects with a name each, as a map. */
function named<T>(list: Field, decode: (entry: Field) => T): Map<string, T> {
  const map = new Map<string, T>();
  for (const entry of list.list()) {
    const name = entry.get("name");
    if (map.has(name.string())) name.fail("a name that is not taken");
    map.set(name.string(), decode(entry));
  }
  return map;
}

function decodeValue(entry: Field): ValueInfo {
  const quantization = entry.get("quantization");
  return {
    dtype: entry.get("dtype").string() as DType,
    shape: dims(entry.get("shape")),
    ...(quantization.isPresent && {
      quantization: {
        scale: quantization.get("scale").number(),
        zeroPoint: quantization.get("zeroPoint").integer(-128, 255),
      },
    }),
  };
}

const dims = (field: Field): Dim[] =>
  field.list().map((entry) => (typeof entry.value === "string" ? entry.string() : entry.integer(-1, 2 ** 31 - 1)));

/** A tensor by the name that a field gives, as an array. */
function arrayFrom<D extends PlainConstant["dtype"]>(
  field: Field,
  tensors: Tensors,
  wanted?: D,
): { readonly dtype: D; readonly shape: readonly number[]; readonly data: DataOf[D] } {
  const name = field.string();
  const tensor = tensors.get(name);
  if (!tensor) throw new FormatError("tensor-missing", field.path, "a tensor of the file", name);
  const dtype = dtypes[tensor.dtype];
  if (!dtype || (wanted && dtype !== wanted))
    throw new FormatError("tensor-dtype", `dtype of tensor ${name}`, wanted ?? Object.values(dtypes), tensor.dtype);
  const { bytes, shape } = tensor;
  const size = bytesOf[dtype];
  // Files of other writers may be unaligned.
  const { buffer, byteOffset } = bytes.byteOffset % size === 0 ? bytes : bytes.slice();
  const data = new arrayOf[dtype](buffer, byteOffset, bytes.length / size);
  if (dtype === "bool" && bytes.some((byte) => byte > 1))
    throw new FormatError("metadata-field", `tensor ${name}`, "booleans of 0 or 1", "another byte");
  return { dtype: dtype as D, shape, data: data as DataOf[D] };
}

function decodeConstant(entry: Field, tensors: Tensors, expand: Expand | undefined): Constant {
  const packing = entry.get("packing");
  if (packing.isPresent && !expand) packing.fail("none in version 1");
  if (entry.get("kind").oneOf("plain", "quantized") === "plain") {
    if (!packing.isPresent || !expand) return { kind: "plain", ...arrayFrom(entry.get("data"), tensors) };
    const packed = arrayFrom(entry.get("data"), tensors, "uint8").data;
    const shape = sizes(entry.get("shape"));
    const [kind, what] = [packing.oneOf("sparse", "sparse-huffman"), `tensor ${entry.get("data").string()}`];
    return { kind: "plain", dtype: "f32", shape, data: expand.floats(kind, packed, sizeOf(shape), what) };
  }
  const codes = arrayFrom(entry.get("codes"), tensors, "uint8");
  const scale = entry.get("scale").isPresent ? arrayFrom(entry.get("scale"), tensors, "f32") : undefined;
  const groupSize = entry.get("groupSize");
  const shape = sizes(entry.get("shape"));
  const bits = entry.get("bits").integer(0, 8);
  const decoding = decodeDecoding(entry.get("decoding"), tensors);
  if (scale && scale.shape.length !== 2) entry.get("scale").fail("a tensor of two axes");
  return {
    kind: "quantized",
    scheme: entry.get("scheme").string(),
    shape,
    bits,
    codes:
      packing.isPresent && expand ? expandedCodes(entry, codes.data, { shape, bits, decoding }, expand) : codes.data,
    decoding,
    ...(scale && { scale: scale.data, scaleShape: scale.shape as unknown as readonly [number, number] }),
    ...(groupSize.isPresent && { groupSize: groupSize.integer(1, 2 ** 31 - 1) }),
  };
}

/** Codes as the graph has them, whatever their packing in the file. */
function expandedCodes(
  entry: Field,
  packed: Uint8Array,
  constant: Pick<QuantizedConstant, "shape" | "bits" | "decoding">,
  expand: Expand,
): Uint8Array {
  const packing = entry.get("packing").oneOf("base3", "huffman", "sparse", "sparse-huffman");
  const { bits } = constant;
  if (packing === "base3" && bits !== 2) entry.get("bits").fail("2, as the codes are packed in base 3");
  if (bits === 0) entry.get("bits").fail("1 to 8, as there are packed codes");
  const { n, codesPerRow } = matrixSize(constant);
  if (!Number.isInteger(codesPerRow)) entry.get("shape").fail("rows of whole sub-vectors");
  return expand.codes(packing, packed, { n, perRow: codesPerRow, bits }, `tensor ${entry.get("codes").string()}`);
}

const sizes = (field: Field): number[] => field.list().map((size) => size.integer(1, 2 ** 31 - 1));

function decodeDecoding(field: Field, tensors: Tensors): Decoding {
  const kind = field.get("kind").oneOf("sign", "affine", "offset", "bases", "table", "product", "additive", "hashed");
  const floats = (member: string): Float32Array => arrayFrom(field.get(member), tensors, "f32").data;
  switch (kind) {
    case "sign":
      return { kind };
    case "affine": {
      const zeroPoint = field.get("zeroPoint");
      const stored =
        typeof zeroPoint.value === "string"
          ? arrayFrom(zeroPoint, tensors, "int32").data
          : zeroPoint.integer(-256, 256);
      return { kind, zeroPoint: stored };
    }
    case "table":
      return { kind, codebook: floats("codebook") };
    case "offset":
      return { kind, offset: floats("offset") };
    case "bases":
      return { kind, coefficients: floats("coefficients") };
    case "hashed":
      return { kind, values: floats("values"), seed: field.get("seed").integer(0, 2 ** 32 - 1) };
    case "additive": {
      const dimension = field.get("dimension").integer(1, 2 ** 20);
      return { kind, codebook: floats("codebook"), dimension, count: field.get("count").integer(1, 64) };
    }
    case "product": {
      const dimension = field.get("dimension").integer(1, 2 ** 20);
      return { kind, codebook: floats("codebook"), dimension };
    }
  }
}

function decodeNode(entry: Field): Node {
  const op = entry.get("op").string();
  const attributes = Object.entries(entry.get("attributes").object()).map(([key, value]) => [
    key,
    // An operator from outside has attributes as JSON has them.
    isCustomOp(op) ? value : decodeAttribute(key, value),
  ]);
  return {
    op,
    name: entry.get("name").string(),
    inputs: entry.get("inputs").strings(),
    outputs: entry.get("outputs").strings(),
    // Each operator's own fields are checked by validateGraph.
    attributes: Object.fromEntries(attributes),
  } as Node;
}

/** Attributes that may be infinite. */
const reals: ReadonlySet<string> = new Set(["clamp", "min", "max", "value"]);

function decodeAttribute(key: string, value: Json): Json | number {
  if (!reals.has(key)) return value;
  if (Array.isArray(value)) return value.map((entry) => decodeAttribute(key, entry));
  return value === "Infinity" ? Number.POSITIVE_INFINITY : value === "-Infinity" ? Number.NEGATIVE_INFINITY : value;
}

/** No side of an image is longer. */
const maxSide = 2 ** 14;

function decodePreprocessing(entry: Field): ImagePreprocessing {
  const channels = entry.get("channels").oneOf("gray", "rgb", "bgr");
  const count = channels === "gray" ? 1 : 3;
  const perChannel = (name: string, allowZero: boolean): number[] => {
    const field = entry.get(name);
    const values = field.numbers();
    if (values.length !== count || values.some((value) => !Number.isFinite(value) || (value === 0 && !allowZero)))
      field.fail(`${count} finite numbers${allowZero ? "" : " other than 0"}`);
    return values;
  };
  const invert = entry.get("invert");
  return {
    width: entry.get("width").integer(1, maxSide),
    height: entry.get("height").integer(1, maxSide),
    channels,
    layout: entry.get("layout").oneOf("NHWC", "NCHW"),
    mean: perChannel("mean", true),
    std: perChannel("std", false),
    ...(invert.isPresent && { invert: invert.boolean() }),
  };
}
