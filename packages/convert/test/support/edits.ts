/** Seeded edits of files, for fuzz tests of readers: each kind of file has places where it is easily hurt. */
import type { RandomData } from "../../../core/src/testing/random-data.ts";

/** A mutation of a file. */
export type Mutate = (source: Uint8Array, random: RandomData) => Uint8Array;

/** `length` bytes from `at` on cut out. */
export function cut(bytes: Uint8Array, at: number, length: number): Uint8Array<ArrayBuffer> {
  const rest = new Uint8Array(bytes.length - Math.min(length, bytes.length - at));
  rest.set(bytes.subarray(0, at));
  rest.set(bytes.subarray(at + length), at);
  return rest;
}

/** `length` bytes from `at` on doubled. */
export function doubled(bytes: Uint8Array, at: number, length: number): Uint8Array<ArrayBuffer> {
  const part = bytes.subarray(at, at + length);
  const all = new Uint8Array(bytes.length + part.length);
  all.set(bytes.subarray(0, at));
  all.set(part, at);
  all.set(bytes.subarray(at), at + part.length);
  return all;
}

/** Integers where sizes and offsets break: at and around the ends of 32 bits, of 53 and of 64. */
const EDGES: readonly bigint[] = [
  0n,
  1n,
  0x7fff_ffffn,
  0x8000_0000n,
  0xffff_ffffn,
  0x1_0000_0000n,
  0x1f_ffff_ffff_ffffn,
  0x20_0000_0000_0000n,
  0x7fff_ffff_ffff_ffffn,
  0x8000_0000_0000_0000n,
  0xffff_ffff_ffff_fff0n,
  0xffff_ffff_ffff_ffffn,
];

/** Edits that hurt any file: flipped bits, bytes at their limits, integers at theirs, pieces cut out, doubled, moved, the end cut off. */
export const mutateBytes: Mutate = (source, random) => {
  let bytes = source.slice();
  for (let edits = random.between(1, 3); edits > 0 && bytes.length >= 16; edits--) {
    const at = random.below(bytes.length);
    const length = Math.min(random.between(1, 16), bytes.length - at);
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    switch (random.below(9)) {
      case 0:
        bytes[at]! ^= 1 << random.below(8);
        break;
      case 1:
        bytes[at] = random.pick([0, 1, 0x7f, 0x80, 0xff]);
        break;
      case 2:
        // A varint as large as one can be.
        bytes.set(new Uint8Array(length).fill(0xff), at);
        break;
      case 3:
        bytes = cut(bytes, at, length);
        break;
      case 4:
        bytes = doubled(bytes, at, length);
        break;
      case 5:
        bytes.copyWithin(random.below(bytes.length - length + 1), at, at + length);
        break;
      case 6:
        view.setBigUint64(Math.min(at & ~7, bytes.length - 8), random.pick(EDGES), true);
        break;
      case 7:
        bytes[at] = random.below(256);
        break;
      default:
        if (random.below(4) === 0) bytes = bytes.slice(0, at + 1);
        else view.setUint32(Math.min(at & ~3, bytes.length - 4), Number(random.pick(EDGES) & 0xffff_ffffn), true);
    }
  }
  return bytes;
};

/** Decimal numbers and words of a JSON text changed: what flipped bytes seldom do to a header. */
export function mutateJson(text: string, random: RandomData): string {
  const tokens = [...text.matchAll(/-?\d+(?:\.\d+)?|"[^"\\]*"|[[\]{}]/g)];
  const token = random.pick(tokens);
  const other = random.pick([
    () => String(random.pick(EDGES)),
    () => "-1",
    () => "1e308",
    () => "null",
    () => "[]",
    () => "{}",
    () => '"\\ud800"',
    () => random.pick(tokens)[0],
    () => `${token[0]},${token[0]}`,
    () => "[".repeat(random.between(1, 5000)),
    () => "",
  ])();
  return text.slice(0, token.index) + other + text.slice(token.index + token[0].length);
}

/** A safetensors file whose header is changed as text, and its length with it; else as {@link mutateBytes}. */
export const mutateSafetensors: Mutate = (source, random) => {
  if (random.below(2) === 0) return mutateBytes(source, random);
  const end = 8 + new DataView(source.buffer, source.byteOffset).getUint32(0, true);
  const header = new TextEncoder().encode(mutateJson(new TextDecoder().decode(source.subarray(8, end)), random));
  const bytes = new Uint8Array(8 + header.length + source.length - end);
  new DataView(bytes.buffer).setUint32(0, header.length, true);
  bytes.set(header, 8);
  bytes.set(source.subarray(end), 8 + header.length);
  return bytes;
};
