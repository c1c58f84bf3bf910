/**
 * Codes 0, 1, 2 at five to a byte, 1.6 bits each: a fifth less of a file than two bits. Kernels multiply two-bit codes four times as fast, so a reader expands them.
 *
 * A byte is c0 + 3 c1 + 9 c2 + 27 c3 + 81 c4, at most 242, with the codes of a row in ascending order from c0; each row starts a new byte, spare codes are 0.
 * Reading happens before any WASM is there, and is one look-up for five codes.
 */
import { FormatError } from "../errors.ts";

/** Codes of a byte. */
const CODES = 5;
/** Values of a byte. */
const VALUES = 243;

/** Five two-bit codes, the first lowest, by byte. */
const expanded = Uint16Array.from({ length: VALUES }, (_, byte) => {
  let codes = 0;
  for (let i = 0, rest = byte; i < CODES; i++, rest = Math.floor(rest / 3)) codes |= (rest % 3) << (2 * i);
  return codes;
});

/** Bytes of a row of `perRow` codes. */
export const base3RowBytes = (perRow: number): number => Math.ceil(perRow / CODES);

/** Whether every one of the two-bit codes [n, perRow] is below 3. */
export const fitsBase3 = (codes: Uint8Array): boolean => codes.every((byte) => (byte & (byte >> 1) & 0x55) === 0);

/** @param codes two-bit codes [n, ceil(perRow / 4)], each below 3, spare bits 0 */
export function packBase3(codes: Uint8Array, n: number, perRow: number): Uint8Array<ArrayBuffer> {
  const [rowBytes, rowPacked] = [Math.ceil(perRow / 4), base3RowBytes(perRow)];
  const packed = new Uint8Array(n * rowPacked);
  for (let row = 0; row < n; row++)
    for (let i = perRow - 1; i >= 0; i--) {
      const code = (codes[row * rowBytes + (i >> 2)]! >> (2 * (i & 3))) & 3;
      const at = row * rowPacked + Math.floor(i / CODES);
      packed[at] = packed[at]! * 3 + code;
    }
  return packed;
}

/**
 * @param packed [n, ceil(perRow / 5)]
 * @param what for the error: the tensor that is expanded
 * @returns two-bit codes [n, ceil(perRow / 4)]
 * @throws FormatError where the length is another one, a byte is above 242, or a spare code is not 0
 */
export function expandBase3(packed: Uint8Array, n: number, perRow: number, what: string): Uint8Array<ArrayBuffer> {
  const [rowBytes, rowPacked] = [Math.ceil(perRow / 4), base3RowBytes(perRow)];
  if (packed.length !== n * rowPacked)
    throw new FormatError("tensor-shape", `bytes of ${what}`, n * rowPacked, packed.length);
  const codes = new Uint8Array(n * rowBytes);
  const last = [3, 9, 27, 81, VALUES][(perRow - 1) % CODES]!;
  for (let row = 0, from = 0, to = 0; row < n; row++) {
    let [bits, held] = [0, 0];
    for (let i = 0; i < rowPacked; i++, from++) {
      const byte = packed[from]!;
      const most = (i === rowPacked - 1 ? last : VALUES) - 1;
      if (byte > most)
        throw new FormatError(
          "metadata-field",
          `${what}, row ${row}, byte ${i}: codes in base 3 (at most)`,
          most,
          byte,
        );
      bits |= expanded[byte]! << held;
      for (held += 2 * CODES; held >= 8; held -= 8, bits >>>= 8) codes[to++] = bits;
    }
    if (held > 0 && to < (row + 1) * rowBytes) codes[to] = bits;
    to = (row + 1) * rowBytes;
  }
  return codes;
}
