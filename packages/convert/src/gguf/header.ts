/**
 * The head of a GGUF file, versions 2 and 3, little-endian: magic, counts, metadata, tensor infos; the tensors' bytes follow.
 *
 *   "GGUF" | version u32 | tensors u64 | entries u64 | entries: key, type u32, value | infos: name, axes u32, sizes u64[], type u32, offset u64 | padding | data
 *
 * A string is its bytes' count (u64) and UTF-8. Sizes are innermost first; offsets are from the start of the data, which are aligned to `general.alignment` (32).
 * Every count is held against the bytes that are there before anything is made of it. https://github.com/ggml-org/ggml/blob/master/docs/gguf.md
 */
import { ModelFileError } from "../errors.ts";
import { GGUF_TYPES, type GgufType } from "./types.ts";

/** A metadata value; integers of 64 bits as bigint where they are beyond 2^53. Arrays of numbers are typed arrays, those of bools bytes of 0 and 1. */
export type GgufValue = number | bigint | boolean | string | GgufArray;
export type GgufArray =
  | Uint8Array
  | Int8Array
  | Uint16Array
  | Int16Array
  | Uint32Array
  | Int32Array
  | Float32Array
  | Float64Array
  | BigUint64Array
  | BigInt64Array
  | readonly string[];

export interface GgufTensor {
  readonly name: string;
  readonly type: GgufType;
  /** Row-major, outermost first: the file's sizes in reverse order. */
  readonly shape: readonly number[];
  /** Place in the file. */
  readonly offset: number;
  readonly bytes: number;
}

export interface GgufHeader {
  readonly version: number;
  readonly alignment: number;
  readonly metadata: ReadonlyMap<string, GgufValue>;
  /** In the order of the file's infos. */
  readonly tensors: ReadonlyMap<string, GgufTensor>;
}

/** Thrown where the bytes end before the header does; the file may have more. */
export class MoreNeeded extends Error {
  constructor(readonly bytes: number) {
    super(`${bytes} bytes are needed`);
  }
}

const MAGIC = 0x46554747;
const STRING = 8;
const ARRAY = 9;
/** ggml's own. */
const MAX_AXES = 4;
/** Least bytes of an entry and of an info: what their counts are held against. */
const [LEAST_ENTRY, LEAST_INFO] = [13, 32];

const strict = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const lenient = new TextDecoder("utf-8", { ignoreBOM: true });

type Numbers = Exclude<GgufArray, readonly string[]>;
type Elements = { new (buffer: ArrayBuffer): Numbers; readonly BYTES_PER_ELEMENT: number };

/** Arrays of the value types of numbers. */
const ELEMENTS: ReadonlyMap<number, Elements> = new Map<number, Elements>([
  [0, Uint8Array],
  [1, Int8Array],
  [2, Uint16Array],
  [3, Int16Array],
  [4, Uint32Array],
  [5, Int32Array],
  [6, Float32Array],
  [7, Uint8Array],
  [10, BigUint64Array],
  [11, BigInt64Array],
  [12, Float64Array],
]);
const BOOL = 7;

/** Reads forward; every read is checked against what is there and against the whole file. */
class Reader {
  at = 0;
  readonly #view: DataView;

  constructor(
    readonly bytes: Uint8Array<ArrayBuffer>,
    readonly size: number,
  ) {
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  /** The next `length` bytes, by their place in `bytes`. */
  take(length: number, what: string): number {
    if (length > this.size - this.at)
      throw new ModelFileError("gguf", `bytes of ${what}`, `at most ${this.size - this.at}, which are left`, length);
    if (length > this.bytes.length - this.at) throw new MoreNeeded(this.at + length);
    const start = this.at;
    this.at += length;
    return start;
  }

  u32(what: string): number {
    return this.#view.getUint32(this.take(4, what), true);
  }

  /** An unsigned 64-bit size. */
  size64(what: string, most: number): number {
    const value = this.#view.getBigUint64(this.take(8, what), true);
    if (value > BigInt(most)) throw new ModelFileError("gguf", what, `at most ${most}`, value);
    return Number(value);
  }

  /** A string's bytes. */
  text(what: string, decoder: TextDecoder): string {
    const length = this.size64(`length of ${what}`, this.size);
    const start = this.take(length, what);
    try {
      return decoder.decode(this.bytes.subarray(start, start + length));
    } catch (cause) {
      throw new ModelFileError("gguf", what, "UTF-8", "other bytes", cause);
    }
  }

  numbers(type: number, count: number, what: string): Numbers {
    const elements = ELEMENTS.get(type)!;
    const start = this.take(count * elements.BYTES_PER_ELEMENT, what);
    const bytes = this.bytes.slice(start, this.at);
    if (type === BOOL && bytes.some((byte) => byte > 1))
      throw new ModelFileError("gguf", what, "bools of 0 or 1", "another byte");
    return new elements(bytes.buffer);
  }

  value(type: number, what: string): GgufValue {
    // Tokens of a vocabulary may be pieces of characters: what is no UTF-8 reads as U+FFFD.
    if (type === STRING) return this.text(what, lenient);
    if (type === ARRAY) return this.#array(what);
    if (!ELEMENTS.has(type)) throw new ModelFileError("gguf", `type of ${what}`, "0 to 12", type);
    const [value = 0] = this.numbers(type, 1, what);
    if (type === BOOL) return value === 1;
    return typeof value === "bigint" && Number.isSafeInteger(Number(value)) ? Number(value) : value;
  }

  /** Arrays inside arrays are nowhere in use; llama.cpp refuses them too. */
  #array(what: string): GgufArray {
    const type = this.u32(`type of ${what}`);
    const left = this.size - this.at;
    if (ELEMENTS.has(type)) {
      const most = Math.floor(left / ELEMENTS.get(type)!.BYTES_PER_ELEMENT);
      return this.numbers(type, this.size64(`elements of ${what}`, most), what);
    }
    if (type !== STRING) throw new ModelFileError("gguf", `element type of ${what}`, "of numbers or strings", type);
    // A string takes 8 bytes or more.
    const count = this.size64(`elements of ${what}`, Math.floor(left / 8));
    const values: string[] = [];
    for (let i = 0; i < count; i++) values.push(this.text(what, lenient));
    return values;
  }
}

/** Whether bytes begin as a GGUF file does. */
export function looksLikeGguf(bytes: Uint8Array): boolean {
  return bytes.length >= 4 && bytes[0] === 0x47 && bytes[1] === 0x47 && bytes[2] === 0x55 && bytes[3] === 0x46;
}

/**
 * @param bytes of the file, from its beginning on
 * @param size of the whole file
 * @throws ModelFileError for a damaged file, MoreNeeded where `bytes` end too early
 */
export function readGgufHeader(bytes: Uint8Array<ArrayBuffer>, size: number): GgufHeader {
  const reader = new Reader(bytes, size);
  const magic = reader.u32("the magic number");
  if (magic !== MAGIC) throw new ModelFileError("gguf", "first bytes", "GGUF", `0x${magic.toString(16)}`);
  const version = reader.u32("the version");
  if (version !== 2 && version !== 3)
    throw new ModelFileError(
      "gguf",
      "version",
      "2 or 3, little-endian",
      version & 0xffff ? version : "a big-endian file",
    );
  const count = reader.size64("number of tensors", Math.floor(size / LEAST_INFO));
  const entries = reader.size64("number of metadata entries", Math.floor(size / LEAST_ENTRY));
  const metadata = new Map<string, GgufValue>();
  for (let i = 0; i < entries; i++) {
    const key = reader.text(`key ${i}`, strict);
    if (metadata.has(key)) throw new ModelFileError("gguf", "metadata keys", "each once", key);
    metadata.set(key, reader.value(reader.u32(`type of "${key}"`), `"${key}"`));
  }
  const alignment = metadata.get("general.alignment") ?? 32;
  if (typeof alignment !== "number" || !(alignment >= 1 && alignment <= 2 ** 20) || alignment & (alignment - 1))
    throw new ModelFileError("gguf", "general.alignment", "a power of two up to 2^20", alignment);
  const infos: GgufTensor[] = [];
  for (let i = 0; i < count; i++) infos.push(readInfo(reader, i, alignment));
  const start = Math.min(size, Math.ceil(reader.at / alignment) * alignment);
  return { version, alignment, metadata, tensors: placed(infos, start, size) };
}

function readInfo(reader: Reader, index: number, alignment: number): GgufTensor {
  const name = reader.text(`name of tensor ${index}`, strict);
  const op = `gguf: tensor "${name}"`;
  const axes = reader.u32(`axes of tensor "${name}"`);
  if (axes < 1 || axes > MAX_AXES) throw new ModelFileError(op, "axes", `1 to ${MAX_AXES}`, axes);
  const shape: number[] = [];
  for (let axis = 0; axis < axes; axis++)
    shape.unshift(reader.size64(`sizes of tensor "${name}"`, Number.MAX_SAFE_INTEGER));
  const number = reader.u32(`type of tensor "${name}"`);
  const type = GGUF_TYPES.get(number);
  if (type === undefined) throw new ModelFileError(op, "type", "one of ggml's", number);
  const offset = reader.size64(`offset of tensor "${name}"`, reader.size);
  if (offset % alignment !== 0) throw new ModelFileError(op, "offset", `a multiple of ${alignment}`, offset);
  const row = shape.at(-1)!;
  if (shape.includes(0) || row % type.weights !== 0)
    throw new ModelFileError(
      op,
      `shape of ${type.name}`,
      `sizes of 1 or more, rows of whole blocks of ${type.weights}`,
      shape,
    );
  const elements = shape.reduce((product, size) => product * BigInt(size), 1n);
  const bytes = (elements / BigInt(type.weights)) * BigInt(type.bytes);
  if (bytes > BigInt(reader.size)) throw new ModelFileError(op, "bytes", `at most ${reader.size}`, bytes);
  return { name, type, shape, offset, bytes: Number(bytes) };
}

/** Infos with their places in the file: all inside it, none over another, no name twice. */
function placed(infos: readonly GgufTensor[], start: number, size: number): Map<string, GgufTensor> {
  const tensors = new Map<string, GgufTensor>();
  for (const info of infos) {
    const op = `gguf: tensor "${info.name}"`;
    if (tensors.has(info.name)) throw new ModelFileError(op, "name", "each once", "twice");
    const offset = start + info.offset;
    if (offset + info.bytes > size)
      throw new ModelFileError(op, "end", `at most ${size}, the bytes of the file (truncated?)`, offset + info.bytes);
    tensors.set(info.name, { ...info, offset });
  }
  let end = 0;
  for (const { name, offset, bytes } of [...tensors.values()].sort((a, b) => a.offset - b.offset)) {
    if (offset < end)
      throw new ModelFileError(
        `gguf: tensor "${name}"`,
        "begin",
        `${end} or more, behind the tensor before it`,
        offset,
      );
    end = offset + bytes;
  }
  return tensors;
}
