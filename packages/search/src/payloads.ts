/** What a user keeps beside each vector: JSON, as text in one run of bytes, turned into objects only when it is asked for. */
import { FormatError, InputError, OutOfRangeError } from "lowbit";

/** A JSON value. */
export type Payload =
  | string
  | number
  | boolean
  | null
  | readonly Payload[]
  | { readonly [name: string]: Payload | undefined };

/** What ends are stored in: u32. */
const MOST_BYTES = 2 ** 32 - 1;

export class Payloads {
  #bytes = new Uint8Array(0);
  /** Where the text of each number ends; numbers behind the last have none. */
  #ends = new Uint32Array(0);
  #count = 0;
  #kept = 0;

  /** Whether no vector has one. */
  get empty(): boolean {
    return this.#kept === 0;
  }

  /**
   * Texts of some payloads, an empty one where there is none.
   * @throws InputError for what is not JSON
   */
  static texts(payloads: readonly (Payload | undefined)[]): Uint8Array[] {
    return payloads.map((payload) => {
      if (payload === undefined) return new Uint8Array(0);
      let text: string | undefined;
      try {
        text = JSON.stringify(payload);
      } catch {
        // A cycle or a bigint: said below.
      }
      if (text === undefined) throw new InputError("Index.add", "payload", "a JSON value", typeof payload);
      return new TextEncoder().encode(text);
    });
  }

  /** @throws OutOfRangeError where there would be 4 GiB of them */
  check(texts: readonly Uint8Array[]): number {
    const length = texts.reduce((sum, text) => sum + text.length, this.#end());
    if (length > MOST_BYTES)
      throw new OutOfRangeError("Index.add", "bytes of payloads", `at most ${MOST_BYTES}`, length);
    return length;
  }

  /** Takes what {@link Payloads.texts} made, for numbers `first` ... @throws OutOfRangeError as {@link Payloads.check} */
  append(first: number, texts: readonly Uint8Array[]): void {
    if (texts.every(({ length }) => length === 0)) return;
    const end = this.#end();
    const length = this.check(texts);
    this.#bytes = grown(this.#bytes, length, (n) => new Uint8Array(n));
    this.#ends = grown(this.#ends, first + texts.length, (n) => new Uint32Array(n));
    this.#ends.fill(end, this.#count, first);
    let at = end;
    for (const [i, text] of texts.entries()) {
      this.#bytes.set(text, at);
      at += text.length;
      this.#ends[first + i] = at;
      if (text.length > 0) this.#kept++;
    }
    this.#count = first + texts.length;
  }

  /** @throws FormatError where a file held something else than JSON */
  of(number: number): Payload | undefined {
    const text = this.#text(number);
    if (text.length === 0) return undefined;
    try {
      return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(text));
    } catch {
      throw new FormatError("header-syntax", `payload ${number}`, "JSON", `${text.length} bytes`);
    }
  }

  /** Those of some numbers, as texts. */
  textsOf(numbers: readonly number[]): Uint8Array[] {
    return numbers.map((number) => this.#text(number));
  }

  /** Bytes of all texts, and where those of each of `count` numbers end. */
  arrays(count: number): { readonly bytes: Uint8Array; readonly ends: Uint32Array } {
    const ends = new Uint32Array(count).fill(this.#end());
    ends.set(this.#ends.subarray(0, this.#count));
    return { bytes: this.#bytes.slice(0, this.#end()), ends };
  }

  /** As {@link Payloads.arrays} gave them. @throws FormatError where ends do not rise to the last byte */
  static from(bytes: Uint8Array, ends: Uint32Array<ArrayBuffer>): Payloads {
    const payloads = new Payloads();
    let before = 0;
    for (const [number, end] of ends.entries()) {
      if (end < before || end > bytes.length)
        throw new FormatError("metadata-field", `payload_ends ${number}`, `${before} to ${bytes.length}`, end);
      if (end > before) payloads.#kept++;
      before = end;
    }
    if (before !== bytes.length) throw new FormatError("tensor-shape", "bytes of payloads", before, bytes.length);
    payloads.#bytes = new Uint8Array(bytes);
    payloads.#ends = ends;
    payloads.#count = ends.length;
    return payloads;
  }

  #end(): number {
    return this.#count === 0 ? 0 : this.#ends[this.#count - 1]!;
  }

  #text(number: number): Uint8Array {
    if (number >= this.#count) return new Uint8Array(0);
    return this.#bytes.subarray(number === 0 ? 0 : this.#ends[number - 1], this.#ends[number]);
  }
}

/** `array`, or a longer copy: a quarter more than asked for, so that many additions copy little. */
function grown<T extends Uint8Array<ArrayBuffer> | Uint32Array<ArrayBuffer>>(
  array: T,
  length: number,
  make: (length: number) => T,
): T {
  if (length <= array.length) return array;
  const longer = make(Math.max(length, Math.ceil(array.length * 1.25)));
  longer.set(array);
  return longer;
}
