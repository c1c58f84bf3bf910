/**
 * The frame of every message, little-endian: 8 bytes, then what the method's file says.
 *
 * | bytes | what |
 * |---|---|
 * | 0 | method, {@link methodNumbers} |
 * | 1 | a parameter of the method, 0 where it has none |
 * | 2..3 | another one, u16 |
 * | 4..7 | numbers of the gradient, u32, at least 1 |
 *
 * There is no checksum: transports have one. What is refused is what no encoder writes: another method or parameter, a length that does not fit the counts,
 * levels that are not finite, codes without meaning, spare bits that are not 0.
 */
import { WireError } from "../errors.ts";

export const methodNumbers = {
  oneBit: 1,
  threshold: 2,
  dynamicTree: 3,
  ternGrad: 4,
  qsgd: 5,
  dorefa: 6,
  sign: 7,
  feedbackSign: 8,
} as const;

export type WireMethod = keyof typeof methodNumbers;

/** Bytes of the frame. */
export const HEADER = 8;

interface Header {
  readonly method: WireMethod;
  readonly parameter?: number;
  readonly wide?: number;
  readonly count: number;
}

/** A message: the frame, then the parts in order. */
export function writeMessage(
  { method, parameter = 0, wide = 0, count }: Header,
  ...parts: readonly ArrayBufferView[]
): Uint8Array {
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.byteLength, HEADER));
  const view = new DataView(bytes.buffer);
  view.setUint8(0, methodNumbers[method]);
  view.setUint8(1, parameter);
  view.setUint16(2, wide, true);
  view.setUint32(4, count, true);
  let at = HEADER;
  for (const { buffer, byteOffset, byteLength } of parts) {
    bytes.set(new Uint8Array(buffer, byteOffset, byteLength), at);
    at += byteLength;
  }
  return bytes;
}

/** Reads a message from front to end. */
export class Message {
  readonly parameter: number;
  readonly wide: number;
  readonly count: number;
  readonly #op: string;
  readonly #bytes: Uint8Array;
  #at = HEADER;

  /** @throws WireError where there is no frame, or that of another method */
  constructor(op: string, bytes: Uint8Array, method: WireMethod) {
    this.#op = op;
    this.#bytes = bytes;
    if (bytes.length < HEADER) throw new WireError(op, "wire-truncated", "bytes", `${HEADER} or more`, bytes.length);
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.expect("method", methodNumbers[method], bytes[0]);
    this.parameter = bytes[1]!;
    this.wide = view.getUint16(2, true);
    this.count = view.getUint32(4, true);
    if (this.count === 0 || this.count >= 2 ** 31) this.corrupt("numbers", "1 to 2147483647", this.count);
  }

  corrupt(what: string, expected: unknown, got: unknown): never {
    throw new WireError(this.#op, "wire-corrupt", what, expected, got);
  }

  truncated(): never {
    throw new WireError(this.#op, "wire-truncated", "bytes", "more", this.#bytes.length);
  }

  expect(what: string, expected: unknown, got: unknown): void {
    if (got !== expected) this.corrupt(what, expected, got);
  }

  /** The next bytes; a view. */
  take(length: number): Uint8Array {
    const left = this.#bytes.length - this.#at;
    if (left < length) throw new WireError(this.#op, "wire-truncated", "bytes", this.#at + length, this.#bytes.length);
    this.#at += length;
    return this.#bytes.subarray(this.#at - length, this.#at);
  }

  /** All that is left. */
  rest(): Uint8Array {
    return this.take(this.#bytes.length - this.#at);
  }

  words(length: number): Uint32Array {
    return new Uint32Array(this.take(4 * length).slice().buffer);
  }

  /** Numbers, each of which `allowed` accepts. */
  floats(what: string, length: number, expected: string, allowed: (value: number, i: number) => boolean): Float32Array {
    const values = new Float32Array(this.take(4 * length).slice().buffer);
    const bad = values.findIndex((value, i) => !(Number.isFinite(value) && allowed(value, i)));
    if (bad >= 0) this.corrupt(what, `finite ${expected}`, values[bad]);
    return values;
  }

  /** Packed codes of `bits` bits for each number, whose spare bits are 0. */
  codes(bits: number): Uint8Array {
    const packed = this.take(Math.ceil((this.count * bits) / 8));
    const used = (this.count * bits) % 8;
    if (used > 0 && packed[packed.length - 1]! >> used !== 0)
      this.corrupt("spare bits", 0, packed[packed.length - 1]! >> used);
    return packed;
  }

  /** That nothing is left. */
  end(): void {
    this.expect("bytes", this.#at, this.#bytes.length);
  }
}
