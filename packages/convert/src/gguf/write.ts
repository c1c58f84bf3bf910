/**
 * GGUF files of a Graph's constants, version 3: codes as blocks where a type holds exactly what they stand for, everything else as elements. Nothing is rounded.
 *
 *   "GGUF" | 3 | tensors | entries | entries | infos | padding | data, each tensor at a multiple of 32 (see header.ts)
 */
import {
  type Constant,
  type Graph,
  OutOfRangeError,
  type PlainConstant,
  type QuantizedConstant,
  ShapeError,
  UnsupportedError,
} from "lowbit";
import { type BlockType, blockLayouts, dequantize, toBlocks } from "lowbit/quantize";
import { ModelFileError } from "../errors.ts";
import { elementCount } from "../graph/constants.ts";
import { GGUF_TYPE_NUMBER } from "./types.ts";

export interface GgufExport {
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** Types as GGUF spells them (`Q4_0`, `F32` ...), by tensor. */
  readonly types: ReadonlyMap<string, string>;
}

interface Encoded {
  readonly type: string;
  readonly shape: readonly number[];
  readonly bytes: Uint8Array;
}

const ALIGNMENT = 32;
/** ggml's own limits: axes, and bytes of a name with the 0 behind it. */
const [MOST_AXES, MOST_NAME] = [4, 63];

/** Types of blocks that codes of other schemes are held against, least bytes first. */
const COMMON: readonly BlockType[] = ["tq1_0", "tq2_0", "q4_0", "q8_0"];

const PLAIN: { readonly [D in PlainConstant["dtype"]]?: string } = {
  ...{ f32: "F32", f16: "F16", f64: "F64" },
  ...{ int8: "I8", int16: "I16", int32: "I32", int64: "I64" },
};

/**
 * Constants as a GGUF file, under their names: what GGUF's own block types hold becomes blocks (those that were read from a GGUF file keep their type), other codes the f32
 * that they stand for; f32 of which every one is a bfloat16 are stored as such.
 *
 * @throws UnsupportedError naming tensors of types or more axes than GGUF has, ModelFileError for a name that is too long or a graph without constants
 */
export async function exportGguf(graph: Graph): Promise<GgufExport> {
  if (graph.constants.size === 0) throw new ModelFileError("exportGguf", "constants", "at least one", 0);
  const bad = [...graph.constants].flatMap(([name, constant]) => complaint(name, constant) ?? []);
  if (bad.length > 0)
    throw new UnsupportedError(
      "exportGguf",
      bad,
      `tensors of 1 to ${MOST_AXES} axes of ${Object.values(PLAIN).join(", ")}`,
    );
  const tensors = new Map<string, Encoded>();
  for (const [name, constant] of graph.constants) tensors.set(name, await encoded(constant));
  return {
    bytes: fileOf(graph.name, tensors),
    types: new Map([...tensors].map(([name, { type }]) => [name, type])),
  };
}

function complaint(name: string, constant: Constant): string | undefined {
  const length = new TextEncoder().encode(name).length;
  if (length > MOST_NAME)
    throw new ModelFileError("exportGguf", `bytes of the name "${name}"`, `at most ${MOST_NAME}`, length);
  const { shape } = constant;
  const fits = shape.length <= MOST_AXES && !shape.includes(0);
  if (fits && (constant.kind === "quantized" || PLAIN[constant.dtype] !== undefined)) return undefined;
  return `"${name}" (${constant.kind === "plain" ? constant.dtype : constant.scheme} [${shape.join(", ")}])`;
}

const bytesOf = (data: ArrayBufferView): Uint8Array => new Uint8Array(data.buffer, data.byteOffset, data.byteLength);

async function encoded(constant: Constant): Promise<Encoded> {
  // A scalar is a tensor of one axis there.
  const shape = constant.shape.length === 0 ? [1] : constant.shape;
  if (constant.kind === "plain") return { ...floatsOrElements(constant), shape };
  const blocks = await blocksOf(constant);
  if (blocks) return { ...blocks, shape };
  return { type: "F32", shape, bytes: bytesOf(await dequantize(constant)) };
}

function floatsOrElements({ dtype, shape, data }: PlainConstant): Pick<Encoded, "type" | "bytes"> {
  // The upper halves of f32 are bfloat16; vectors (norms, biases) are f32 wherever GGUF is read.
  if (data instanceof Float32Array && shape.length > 1) {
    const words = new Uint32Array(data.buffer, data.byteOffset, data.length);
    if (words.every((word) => (word & 0xffff) === 0))
      return { type: "BF16", bytes: bytesOf(Uint16Array.from(words, (word) => word >>> 16)) };
  }
  return { type: PLAIN[dtype]!, bytes: bytesOf(data) };
}

/** The first type that holds the codes and scales as they are. */
async function blocksOf(constant: QuantizedConstant): Promise<Pick<Encoded, "type" | "bytes"> | undefined> {
  const own = Object.hasOwn(blockLayouts, constant.scheme) ? [constant.scheme as BlockType] : [];
  for (const type of new Set([...own, ...COMMON])) {
    const regrouped = inGroups(constant, type);
    if (!regrouped) continue;
    try {
      return { type: type.toUpperCase(), bytes: await toBlocks(regrouped, type) };
    } catch (error) {
      // A scale that is no f16, codes that the type has not: the next one may do.
      if (!(error instanceof OutOfRangeError || error instanceof ShapeError)) throw error;
    }
  }
  return undefined;
}

/** The constant with the type's groups, its scales repeated for those that were longer; undefined where rows are no whole blocks or groups do not divide. */
function inGroups(constant: QuantizedConstant, type: BlockType): QuantizedConstant | undefined {
  const { weights, group } = blockLayouts[type];
  const { shape, scale, scaleShape, groupSize } = constant;
  const [n, k] = [shape[0]!, elementCount(shape.slice(1))];
  if (shape.at(-1)! % weights !== 0 || !scale || !scaleShape) return undefined;
  if (constant.decoding.kind === "offset" || groupSize === group) return scaleShape[0] === n ? constant : undefined;
  const [rows, columns] = scaleShape;
  const length = columns === 1 ? k : groupSize!;
  if (length % group !== 0) return undefined;
  const groups = k / group;
  const repeated = new Float32Array(n * groups);
  for (let row = 0; row < n; row++)
    for (let at = 0; at < groups; at++)
      repeated[row * groups + at] = scale[(rows === 1 ? 0 : row) * columns + Math.floor((at * group) / length)]!;
  return { ...constant, scale: repeated, scaleShape: [n, groups], groupSize: group };
}

function fileOf(name: string, tensors: ReadonlyMap<string, Encoded>): Uint8Array<ArrayBuffer> {
  const head = new Head();
  head.text("GGUF").u32(3).u64(tensors.size);
  const entries: readonly (readonly [string, string | number])[] = [
    ["general.architecture", "lowbit"],
    ["general.name", name],
    ["general.quantization_version", 2],
  ];
  head.u64(entries.length);
  for (const [key, value] of entries)
    if (typeof value === "string") head.string(key).u32(8).string(value);
    else head.string(key).u32(4).u32(value);
  const places = new Map<string, number>();
  let at = 0;
  for (const [tensor, { type, shape, bytes }] of tensors) {
    head.string(tensor).u32(shape.length);
    for (const size of [...shape].reverse()) head.u64(size);
    head.u32(GGUF_TYPE_NUMBER.get(type)!).u64(at);
    places.set(tensor, at);
    at += aligned(bytes.length);
  }
  const start = aligned(head.length);
  const file = new Uint8Array(start + at);
  file.set(head.bytes());
  for (const [tensor, { bytes }] of tensors) file.set(bytes, start + places.get(tensor)!);
  return file;
}

const aligned = (size: number): number => Math.ceil(size / ALIGNMENT) * ALIGNMENT;

/** Bytes that are written one after another, little-endian. */
class Head {
  readonly #parts: Uint8Array[] = [];
  length = 0;

  #add(part: Uint8Array): this {
    this.#parts.push(part);
    this.length += part.length;
    return this;
  }

  text(text: string): this {
    return this.#add(new TextEncoder().encode(text));
  }

  u32(value: number): this {
    const part = new DataView(new ArrayBuffer(4));
    part.setUint32(0, value, true);
    return this.#add(bytesOf(part));
  }

  u64(value: number): this {
    const part = new DataView(new ArrayBuffer(8));
    part.setBigUint64(0, BigInt(value), true);
    return this.#add(bytesOf(part));
  }

  /** With its length in front. */
  string(text: string): this {
    return this.u64(new TextEncoder().encode(text).length).text(text);
  }

  bytes(): Uint8Array {
    const all = new Uint8Array(this.length);
    let at = 0;
    for (const part of this.#parts) {
      all.set(part, at);
      at += part.length;
    }
    return all;
  }
}
