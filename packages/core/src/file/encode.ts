/** A graph as JSON and tensors: what `__metadata__.lowbit` and the data section hold. */
import { matrixSize } from "../graph/constants.ts";
import { isCustomNode } from "../graph/operators.ts";
import type {
  Constant,
  Decoding,
  Graph,
  ImagePreprocessing,
  Node,
  PlainConstant,
  QuantizedConstant,
} from "../graph/types.ts";
import { dtypes } from "./decode.ts";
import { sha256Hex } from "./digest.ts";
import type { Packing } from "./expand.ts";
import type { Json } from "./json.ts";
import { type Pack, packCodes, packFloats } from "./pack.ts";
import type { RawTensor, SafetensorsDType } from "./safetensors.ts";

const nameOf = (dtype: PlainConstant["dtype"]): SafetensorsDType =>
  Object.entries(dtypes).find(([, ours]) => ours === dtype)![0] as SafetensorsDType;

const bytesOfView = (data: ArrayBufferView): Uint8Array<ArrayBuffer> =>
  new Uint8Array(data.buffer as ArrayBuffer, data.byteOffset, data.byteLength);

/** The tensors of a file under construction, each with a name of its own. */
class TensorSet {
  readonly tensors = new Map<string, RawTensor>();

  /** @returns the name it got: `wanted`, with underscores where that is taken */
  add(wanted: string, dtype: SafetensorsDType, shape: readonly number[], data: ArrayBufferView): string {
    let name = wanted;
    while (this.tensors.has(name) || name === "__metadata__" || name === "") name += "_";
    this.tensors.set(name, { dtype, shape, bytes: bytesOfView(data) });
    return name;
  }
}

export interface EncodeOptions {
  /**
   * How codes, and floats of which most are 0, are stored where that takes fewer bytes than their bits: `base3` (ternary codes five to a byte),
   * `huffman`, `sparse` (the positions of what is not most frequent), `sparse-huffman`, or `smallest` of all of them, tensor by tensor. They are
   * expanded when the file is read, so a model runs as fast and takes as much memory. Default `bits`.
   */
  readonly pack?: Pack;
}

export interface EncodedGraph {
  /** The version of the format that it needs. */
  readonly version: 1 | 2 | 3;
  readonly graph: Json;
  readonly tensors: ReadonlyMap<string, RawTensor>;
  /** [{ name, sha256 }], by name. */
  readonly digests: Json;
}

export function encodeGraph(graph: Graph, { pack = "bits" }: EncodeOptions = {}): EncodedGraph {
  const set = new TensorSet();
  // Codes and plain data first, so that they get their constant's own name.
  const stored = new Map<string, StoredData>();
  for (const [name, constant] of graph.constants) stored.set(name, addData(set, name, constant, pack));
  const constants = [...graph.constants].map(([name, constant]) =>
    encodeConstant(set, name, stored.get(name)!, constant),
  );
  const versions = [...graph.constants].map(([name, constant]) => versionOf(constant, stored.get(name)!));
  const json = compact({
    name: graph.name,
    inputs: graph.inputs,
    outputs: graph.outputs,
    values: [...graph.values].map(([name, { dtype, shape, quantization }]) =>
      compact({
        name,
        dtype,
        shape,
        quantization: quantization && { scale: quantization.scale, zeroPoint: quantization.zeroPoint },
      }),
    ),
    constants,
    nodes: graph.nodes.map(encodeNode),
    labels: graph.labels,
    preprocessing:
      graph.preprocessing &&
      Object.entries(graph.preprocessing).map(([input, rules]) => ({ input, ...encodePreprocessing(rules) })),
  });
  const sorted = [...set.tensors].sort(([a], [b]) => (a < b ? -1 : 1));
  const digests = sorted.map(([name, { bytes }]) => ({ name, sha256: sha256Hex(bytes) }));
  return { version: Math.max(1, ...versions) as 1 | 2 | 3, graph: json, tensors: set.tensors, digests };
}

/** Without members that are undefined. */
function compact(object: Readonly<Record<string, Json | undefined>>): Json {
  return Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined)) as Json;
}

/** The tensor of a constant's own name. */
interface StoredData {
  readonly tensor: string;
  readonly packing?: Packing | undefined;
}

function addData(set: TensorSet, name: string, constant: Constant, pack: Pack): StoredData {
  if (constant.kind === "plain") {
    const { dtype, shape, data } = constant;
    const packed = dtype === "f32" ? packFloats(data as Float32Array, pack) : undefined;
    return packed
      ? { tensor: set.add(name, "U8", packed.shape, packed.bytes), packing: packed.packing }
      : { tensor: set.add(name, nameOf(dtype), shape, data) };
  }
  const { n, codesPerRow } = matrixSize(constant);
  const { packing, shape, bytes } = packCodes(constant.codes, { n, perRow: codesPerRow, bits: constant.bits }, pack);
  return { tensor: set.add(name, "U8", shape, bytes), packing };
}

/** Decodings that every version has. */
const FIRST: ReadonlySet<Decoding["kind"]> = new Set(["sign", "affine", "table", "product"]);

/** The oldest version of the format that has what a constant needs. */
function versionOf(constant: Constant, { packing }: StoredData): 1 | 2 | 3 {
  if (constant.kind === "quantized" && !FIRST.has(constant.decoding.kind)) return 3;
  return packing === undefined ? 1 : packing === "base3" ? 2 : 3;
}

function encodeConstant(set: TensorSet, name: string, { tensor, packing }: StoredData, constant: Constant): Json {
  if (constant.kind === "plain")
    return packing
      ? { name, kind: "plain", packing, shape: constant.shape, data: tensor }
      : { name, kind: "plain", data: tensor };
  const { scheme, shape, bits, decoding, scale, groupSize } = constant;
  const scaleShape = scaleShapeOf(constant);
  return compact({
    name,
    kind: "quantized",
    scheme,
    shape,
    bits,
    packing,
    codes: tensor,
    decoding: encodeDecoding(set, name, decoding, scaleShape),
    scale: scale && set.add(`${name}.scale`, "F32", scaleShape, scale),
    groupSize,
  });
}

/** [rows, groups] of the scales, present or not. */
export function scaleShapeOf(constant: QuantizedConstant): readonly [number, number] {
  const { n, k } = matrixSize(constant);
  return constant.scaleShape ?? [n, Math.ceil(k / (constant.groupSize ?? k))];
}

function encodeDecoding(set: TensorSet, name: string, decoding: Decoding, scaleShape: readonly [number, number]): Json {
  switch (decoding.kind) {
    case "sign":
      return { kind: "sign" };
    case "affine": {
      const { zeroPoint } = decoding;
      const stored =
        typeof zeroPoint === "number" ? zeroPoint : set.add(`${name}.zero_point`, "I32", scaleShape, zeroPoint);
      return { kind: "affine", zeroPoint: stored };
    }
    case "table":
      return {
        kind: "table",
        codebook: set.add(`${name}.codebook`, "F32", [decoding.codebook.length], decoding.codebook),
      };
    case "product": {
      const { codebook, dimension } = decoding;
      const shape = [codebook.length / dimension, dimension];
      return { kind: "product", dimension, codebook: set.add(`${name}.codebook`, "F32", shape, codebook) };
    }
    case "additive": {
      const { codebook, dimension, count } = decoding;
      const shape = [count, codebook.length / (count * dimension), dimension];
      return { kind: "additive", dimension, count, codebook: set.add(`${name}.codebook`, "F32", shape, codebook) };
    }
    case "offset":
      return { kind: "offset", offset: set.add(`${name}.offset`, "F32", scaleShape, decoding.offset) };
    case "bases": {
      const { coefficients } = decoding;
      const shape = [...scaleShape, coefficients.length / (scaleShape[0] * scaleShape[1])];
      return { kind: "bases", coefficients: set.add(`${name}.coefficients`, "F32", shape, coefficients) };
    }
    case "hashed": {
      const { values, seed } = decoding;
      return { kind: "hashed", seed, values: set.add(`${name}.values`, "F32", [values.length], values) };
    }
  }
}

/** JSON has no infinities; they are written as strings. */
export const encodeNumber = (value: number): Json =>
  Number.isFinite(value) ? value : value > 0 ? "Infinity" : "-Infinity";

function encodeNode(node: Node): Json {
  const { op, name, inputs, outputs, attributes } = node;
  if (isCustomNode(node)) return { op, name, inputs, outputs, attributes: node.attributes };
  const encoded = Object.entries(attributes).map(([key, value]) => [key, encodeAttribute(value)] as const);
  return { op, name, inputs, outputs, attributes: compact(Object.fromEntries(encoded)) };
}

function encodeAttribute(value: unknown): Json | undefined {
  if (typeof value === "number") return encodeNumber(value);
  return Array.isArray(value) ? value.map((entry) => encodeAttribute(entry)!) : (value as Json | undefined);
}

function encodePreprocessing({ width, height, channels, layout, mean, std, invert }: ImagePreprocessing) {
  return { width, height, channels, layout, mean, std, ...(invert !== undefined && { invert }) };
}
