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
import type { Packing } from "./expand.ts";
import type { Json } from "./json.ts";
import { type Pack, packCodes, packFloats } from "./pack.ts";
import type { RawTensor, SafetensorsDType } from "./safetensors.ts";

const nameOf = (dtype: PlainConstant["dtype"]): SafetensorsDType =>
  Object.entries(dtypes).find(([, ours]) => ours === dtype)![0] as SafetensorsDType;

const bytesOfView = (data: ArrayBufferView): Uint8Array<ArrayBuffer> =>
  new Uint8Array(data.buffer as ArrayBuffer, data.byteOffset, data.byteLength);

/** A tensor as the head of a file lists it. */
export type TensorEntry = Pick<RawTensor, "dtype" | "shape">;

/** The tensors of a file under construction, each with a name of its own; their bytes go wherever the caller keeps them. */
class TensorSet {
  readonly tensors = new Map<string, TensorEntry>();
  readonly digests = new Map<string, string>();
  readonly #own = new Map<string, string>();
  readonly #taken = new Set(["__metadata__", ""]);

  /** @param names of all constants, whose own tensors have their names, with underscores where that is taken */
  constructor(
    names: Iterable<string>,
    readonly keep: Keep,
  ) {
    for (const name of names) this.#own.set(name, this.#free(name));
  }

  #free(wanted: string): string {
    let name = wanted;
    while (this.#taken.has(name)) name += "_";
    this.#taken.add(name);
    return name;
  }

  /** The tensor of a constant's own name. @returns the name it has */
  addOwn(constant: string, dtype: SafetensorsDType, shape: readonly number[], data: ArrayBufferView): string {
    return this.#add(this.#own.get(constant)!, dtype, shape, data);
  }

  /** @returns the name it got: `wanted`, with underscores where that is taken */
  add(wanted: string, dtype: SafetensorsDType, shape: readonly number[], data: ArrayBufferView): string {
    return this.#add(this.#free(wanted), dtype, shape, data);
  }

  #add(name: string, dtype: SafetensorsDType, shape: readonly number[], data: ArrayBufferView): string {
    const bytes = bytesOfView(data);
    this.tensors.set(name, { dtype, shape });
    this.digests.set(name, this.keep(name, bytes));
    return name;
  }
}

/** Takes the bytes of a tensor and gives their SHA-256 in hexadecimal digits. */
export type Keep = (name: string, bytes: Uint8Array<ArrayBuffer>) => string;

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
  readonly tensors: ReadonlyMap<string, TensorEntry>;
  /** [{ name, sha256 }], by name. */
  readonly digests: Json;
}

/** Encodes a graph constant by constant, so that not all of them need to be in memory. */
export class GraphEncoder {
  readonly #set: TensorSet;
  readonly #constants: Json[] = [];
  readonly #pack: Pack;
  #version: 1 | 2 | 3 = 1;

  /** @param names of all constants that will be added */
  constructor(names: Iterable<string>, keep: Keep, { pack = "bits" }: EncodeOptions = {}) {
    this.#set = new TensorSet(names, keep);
    this.#pack = pack;
  }

  add(name: string, constant: Constant): void {
    const stored = addData(this.#set, name, constant, this.#pack);
    this.#constants.push(encodeConstant(this.#set, name, stored, constant));
    this.#version = Math.max(this.#version, versionOf(constant, stored)) as 1 | 2 | 3;
  }

  /** @param graph whose constants were added, in its order */
  finish(graph: Omit<Graph, "constants">): EncodedGraph {
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
      constants: this.#constants,
      nodes: graph.nodes.map(encodeNode),
      labels: graph.labels,
      preprocessing:
        graph.preprocessing &&
        Object.entries(graph.preprocessing).map(([input, rules]) => ({ input, ...encodePreprocessing(rules) })),
    });
    const { tensors, digests } = this.#set;
    const sorted = [...digests].sort(([a], [b]) => (a < b ? -1 : 1)).map(([name, sha256]) => ({ name, sha256 }));
    return { version: this.#version, graph: json, tensors, digests: sorted };
  }
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
      ? { tensor: set.addOwn(name, "U8", packed.shape, packed.bytes), packing: packed.packing }
      : { tensor: set.addOwn(name, nameOf(dtype), shape, data) };
  }
  const { n, codesPerRow } = matrixSize(constant);
  const { packing, shape, bytes } = packCodes(constant.codes, { n, perRow: codesPerRow, bits: constant.bits }, pack);
  return { tensor: set.addOwn(name, "U8", shape, bytes), packing };
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
