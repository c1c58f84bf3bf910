/** The little-endian fields of a Faiss file, written and read. */
import { InputError } from "lowbit";

const bytesOf = (data: ArrayBufferView): Uint8Array => new Uint8Array(data.buffer, data.byteOffset, data.byteLength);

export class Writer {
  readonly #parts: Uint8Array[] = [];

  /** The four letters that name a class. */
  name(letters: string): this {
    return this.raw(new TextEncoder().encode(letters));
  }

  u8(value: number): this {
    return this.raw(Uint8Array.of(value));
  }

  i32(...values: readonly number[]): this {
    return this.raw(bytesOf(Int32Array.from(values)));
  }

  i64(...values: readonly (number | bigint)[]): this {
    return this.raw(bytesOf(BigInt64Array.from(values, BigInt)));
  }

  f32(value: number): this {
    return this.raw(bytesOf(Float32Array.of(value)));
  }

  /** Its length in elements, then its bytes. */
  vector(data: ArrayBufferView & { readonly length: number }): this {
    return this.i64(data.length).raw(bytesOf(data));
  }

  raw(bytes: Uint8Array): this {
    this.#parts.push(bytes);
    return this;
  }

  finish(): Uint8Array<ArrayBuffer> {
    const file = new Uint8Array(this.#parts.reduce((sum, { length }) => sum + length, 0));
    let at = 0;
    for (const part of this.#parts) {
      file.set(part, at);
      at += part.length;
    }
    return file;
  }
}

/** Everything is checked against the file before it is used. */
export class Reader {
  readonly #view: DataView;
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  /** @throws InputError */
  refuse(what: string, expected: unknown, got: unknown): never {
    throw new InputError("fromFaiss", what, expected, got);
  }

  name(): string {
    return String.fromCharCode(...this.raw(4, "a class"));
  }

  u8(what: string): number {
    return this.raw(1, what)[0]!;
  }

  i32(what: string): number {
    return this.#view.getInt32(this.#skip(4, what), true);
  }

  f32(what: string): number {
    return this.#view.getFloat32(this.#skip(4, what), true);
  }

  i64(what: string): bigint {
    return this.#view.getBigInt64(this.#skip(8, what), true);
  }

  /** An int64 that counts something. */
  count(what: string, most = 2 ** 31): number {
    const value = Number(this.i64(what));
    if (!(value >= 0 && value <= most)) this.refuse(what, `0 to ${most}`, value);
    return value;
  }

  /** Of the length that it says. */
  bytes(what: string, length: number): Uint8Array<ArrayBuffer> {
    this.#expectLength(what, length);
    return this.raw(length, what).slice();
  }

  floats(what: string, length: number): Float32Array<ArrayBuffer> {
    this.#expectLength(what, length);
    const floats = new Float32Array(this.raw(4 * length, what).slice().buffer);
    const at = floats.findIndex((x) => !Number.isFinite(x));
    if (at >= 0) this.refuse(what, "finite numbers", floats[at]);
    return floats;
  }

  integers(what: string, length: number): BigInt64Array<ArrayBuffer> {
    this.#expectLength(what, length);
    return this.plainIntegers(what, length);
  }

  /** Of 32 bits, those below 0 as they are in u32: -1, no neighbour, is 2^32 - 1. */
  words(what: string, length: number): Uint32Array<ArrayBuffer> {
    this.#expectLength(what, length);
    return new Uint32Array(this.raw(4 * length, what).slice().buffer);
  }

  /** Without a length before them. */
  plainIntegers(what: string, length: number): BigInt64Array<ArrayBuffer> {
    return new BigInt64Array(this.raw(8 * length, what).slice().buffer);
  }

  raw(length: number, what: string): Uint8Array {
    const at = this.#skip(length, what);
    return this.#bytes.subarray(at, at + length);
  }

  end(): void {
    const left = this.#bytes.length - this.#at;
    if (left !== 0) this.refuse("bytes behind the index", 0, left);
  }

  #expectLength(what: string, length: number): void {
    const found = this.count(`length of ${what}`, Number.MAX_SAFE_INTEGER);
    if (found !== length) this.refuse(`length of ${what}`, length, found);
  }

  #skip(length: number, what: string): number {
    const at = this.#at;
    if (!(length <= this.#bytes.length - at))
      this.refuse(`bytes for ${what}`, `${length} at ${at}`, `a file of ${this.#bytes.length}`);
    this.#at += length;
    return at;
  }
}
