/**
 * Safetensors, read and written: 8 bytes of header length (little-endian), a JSON header, the tensors' bytes.
 *
 * Everything the header says is checked against the file before it is used, and nothing is allocated by its word: tensors
 * are views of the file. https://github.com/huggingface/safetensors#format
 */
import { FormatError } from "../errors.ts";
import { sizeOf } from "../tensor.ts";
import { type Json, parseJson } from "./json.ts";

/** Bytes of an element. */
const sizes = {
  F64: 8,
  I64: 8,
  U64: 8,
  F32: 4,
  I32: 4,
  U32: 4,
  F16: 2,
  BF16: 2,
  I16: 2,
  U16: 2,
  I8: 1,
  U8: 1,
  BOOL: 1,
  F8_E4M3: 1,
  F8_E5M2: 1,
} as const;

export type SafetensorsDType = keyof typeof sizes;

/** A tensor's type, shape and little-endian bytes, row-major. */
export interface RawTensor {
  readonly dtype: SafetensorsDType;
  readonly shape: readonly number[];
  readonly bytes: Uint8Array<ArrayBuffer>;
}

export interface Safetensors {
  /** The strings under `__metadata__`. */
  readonly metadata: ReadonlyMap<string, string>;
  /** By name, in the order of their bytes. */
  readonly tensors: ReadonlyMap<string, RawTensor>;
}

const metadataKey = "__metadata__";

/** The reference implementation's bound. */
const maxHeader = 100_000_000;

/**
 * Whether `bytes` begin as a safetensors file does; says nothing of the rest.
 * @param size of the whole file, where `bytes` are not all of it
 */
export function looksLikeSafetensors(bytes: Uint8Array, size = bytes.length): boolean {
  return bytes.length >= 10 && headerLength(bytes) <= BigInt(size - 8) && bytes[8] === 0x7b;
}

function headerLength(bytes: Uint8Array): bigint {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength).getBigUint64(0, true);
}

/** Where a tensor stands in the file. */
export interface TensorPlace {
  readonly dtype: SafetensorsDType;
  readonly shape: readonly number[];
  /** From the beginning of the file. */
  readonly begin: number;
  readonly end: number;
}

export interface SafetensorsHeader {
  /** The strings under `__metadata__`. */
  readonly metadata: ReadonlyMap<string, string>;
  /** By name, in the order of their bytes. */
  readonly tensors: ReadonlyMap<string, TensorPlace>;
}

/**
 * Bytes of a file up to its tensors.
 * @param first 8 bytes of it or more
 * @param size of the whole file
 * @throws FormatError
 */
export function safetensorsHeaderEnd(first: Uint8Array, size: number): number {
  if (size < 8) throw new FormatError(size ? "file-truncated" : "file-empty", "bytes of the file", "8 or more", size);
  const length = headerLength(first);
  if (length < 2n || length > maxHeader)
    throw new FormatError("header-length", "bytes of the header", `2 to ${maxHeader}`, length);
  if (Number(length) > size - 8)
    throw new FormatError("file-truncated", "bytes of the header", `at most ${size - 8}`, length);
  return 8 + Number(length);
}

/**
 * What a file says of its tensors, without them.
 * @param head the file's bytes up to {@link safetensorsHeaderEnd}
 * @param size of the whole file
 * @throws FormatError naming what is wrong
 */
export function readSafetensorsHeader(head: Uint8Array<ArrayBuffer>, size: number): SafetensorsHeader {
  const header = parseHeader(head.subarray(8));
  const metadata = new Map<string, string>();
  const places: [name: string, place: TensorPlace][] = [];
  for (const [name, entry] of Object.entries(header)) {
    if (name === metadataKey) readMetadata(entry, metadata);
    else places.push([name, readEntry(name, entry, head.length, size - head.length)]);
  }
  places.sort(([, a], [, b]) => a.begin - b.begin || a.end - b.end);
  checkCover(places, head.length, size);
  return { metadata, tensors: new Map(places) };
}

/** @throws FormatError naming what is wrong */
export function readSafetensors(bytes: Uint8Array<ArrayBuffer>): Safetensors {
  const head = bytes.subarray(0, safetensorsHeaderEnd(bytes, bytes.length));
  const { metadata, tensors } = readSafetensorsHeader(head, bytes.length);
  const raw = [...tensors].map(([name, { dtype, shape, begin, end }]) => {
    return [name, { dtype, shape, bytes: bytes.subarray(begin, end) }] as const;
  });
  return { metadata, tensors: new Map(raw) };
}

function parseHeader(bytes: Uint8Array): { readonly [key: string]: Json } {
  // The format wants "{" first, so that a header cannot be padded in front.
  if (bytes[0] !== 0x7b) throw new FormatError("header-syntax", "first byte of the header", "{", bytes[0]);
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw new FormatError("header-syntax", "header", "UTF-8", "other bytes");
  }
  return parseJson(text, { depth: 3, what: "header" }) as { readonly [key: string]: Json };
}

function readMetadata(entry: Json, metadata: Map<string, string>): void {
  if (!isObject(entry)) throw new FormatError("header-type", metadataKey, "an object of strings", typeName(entry));
  for (const [key, value] of Object.entries(entry)) {
    if (typeof value !== "string")
      throw new FormatError("header-type", `${metadataKey}.${key}`, "a string", typeName(value));
    metadata.set(key, value);
  }
}

const typeName = (value: Json | undefined): string =>
  Array.isArray(value) ? "array" : value === null ? "null" : typeof value;

function readEntry(name: string, entry: Json, start: number, room: number): TensorPlace {
  if (!isObject(entry)) throw new FormatError("header-type", `tensor ${name}`, "an object", typeName(entry));
  const { dtype, shape, data_offsets: offsets, ...rest } = entry;
  for (const key of Object.keys(rest))
    throw new FormatError("header-type", `tensor ${name}`, "dtype, shape and data_offsets", key);
  if (typeof dtype !== "string" || !Object.hasOwn(sizes, dtype))
    throw new FormatError("tensor-dtype", `dtype of tensor ${name}`, Object.keys(sizes), dtype);
  if (!isSizes(shape)) throw new FormatError("tensor-shape", `shape of tensor ${name}`, "sizes of 0 or more", shape);
  const bytes = sizes[dtype as SafetensorsDType] * sizeOf(shape);
  if (!Number.isSafeInteger(bytes))
    throw new FormatError("tensor-shape", `bytes of tensor ${name}`, "below 2^53", bytes);
  if (!isSizes(offsets) || offsets.length !== 2 || offsets[0]! > offsets[1]!)
    throw new FormatError("tensor-offsets", `offsets of tensor ${name}`, "[begin, end], begin <= end", offsets);
  const [begin = 0, end = 0] = offsets;
  if (end > room) throw new FormatError("file-truncated", `end of tensor ${name}`, `at most ${room}`, end);
  if (end - begin !== bytes) throw new FormatError("tensor-offsets", `bytes of tensor ${name}`, bytes, end - begin);
  return { dtype: dtype as SafetensorsDType, shape, begin: start + begin, end: start + end };
}

function isObject(value: Json): value is { readonly [key: string]: Json } {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isSizes(value: Json | undefined): value is readonly number[] {
  return Array.isArray(value) && value.every((size) => Number.isSafeInteger(size) && size >= 0);
}

/** Tensors must fill the data section: no byte twice, none unused. */
function checkCover(places: readonly (readonly [string, TensorPlace])[], start: number, size: number): void {
  let at = start;
  for (const [name, { begin, end }] of places) {
    if (begin !== at) {
      const code = begin < at ? "tensor-overlap" : "tensor-hole";
      throw new FormatError(code, `begin of tensor ${name}`, at - start, begin - start);
    }
    at = end;
  }
  if (at !== size) throw new FormatError("tensor-hole", "end of the last tensor", size - start, at - start);
}

/** The beginning of a file, and what follows. */
export interface SafetensorsHead {
  readonly head: Uint8Array<ArrayBuffer>;
  /** Names of the tensors in the order of their bytes; nothing is between them. */
  readonly order: readonly string[];
  /** Bytes of the whole file. */
  readonly size: number;
}

/**
 * The head of a file of these tensors. They are ordered by falling element size, then by name, so that every view is aligned and the bytes depend on nothing but the
 * contents; the header is padded with spaces to a multiple of 8.
 */
export function safetensorsHead(
  tensors: ReadonlyMap<string, Pick<RawTensor, "dtype" | "shape">>,
  metadata: ReadonlyMap<string, string> = new Map(),
): SafetensorsHead {
  const order = [...tensors].sort(([a, x], [b, y]) => sizes[y.dtype] - sizes[x.dtype] || (a < b ? -1 : 1));
  const parts: string[] = [];
  const text = JSON.stringify;
  if (metadata.size > 0) {
    const entries = [...metadata].map(([key, value]) => `${text(key)}:${text(value)}`);
    parts.push(`${text(metadataKey)}:{${entries.join(",")}}`);
  }
  let at = 0;
  for (const [name, { dtype, shape }] of order) {
    if (name === metadataKey)
      throw new FormatError("tensor-name", "name of a tensor", `other than ${metadataKey}`, name);
    const size = byteSize(dtype, shape);
    parts.push(`${text(name)}:${text({ dtype, shape, data_offsets: [at, at + size] })}`);
    at += size;
  }
  const header = new TextEncoder().encode(`{${parts.join(",")}}`);
  const head = new Uint8Array(Math.ceil((8 + header.length) / 8) * 8);
  new DataView(head.buffer).setBigUint64(0, BigInt(head.length - 8), true);
  head.fill(0x20, 8);
  head.set(header, 8);
  return { head, order: order.map(([name]) => name), size: head.length + at };
}

const byteSize = (dtype: SafetensorsDType, shape: readonly number[]): number => sizes[dtype] * sizeOf(shape);

/** One file, its tensors in the order of {@link safetensorsHead}. */
export function writeSafetensors(
  tensors: ReadonlyMap<string, RawTensor>,
  metadata: ReadonlyMap<string, string> = new Map(),
): Uint8Array<ArrayBuffer> {
  for (const [name, { dtype, shape, bytes }] of tensors) {
    const size = byteSize(dtype, shape);
    if (bytes.length !== size) throw new FormatError("tensor-shape", `bytes of tensor ${name}`, size, bytes.length);
  }
  const { head, order, size } = safetensorsHead(tensors, metadata);
  const file = new Uint8Array(size);
  file.set(head);
  let at = head.length;
  for (const name of order) {
    const { bytes } = tensors.get(name)!;
    file.set(bytes, at);
    at += bytes.length;
  }
  return file;
}
