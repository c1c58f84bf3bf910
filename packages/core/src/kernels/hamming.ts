/** Packed binary codes by the number of bits that differ; see crates/kernels/src/hamming. */
import type { KernelInstance } from "./instance.ts";
import { Parameters } from "./kernel-object.ts";
import { type Best, type Selection, type TopK, writeKeys, writeSelection } from "./top-k.ts";

/** Bytes of a code of `bits` bits: whole 32-bit words, as `packSigns` writes them. */
export function binaryRowBytes(bits: number): number {
  return 4 * Math.ceil(bits / 32);
}

export interface BinaryCodes extends Selection {
  /** Pointer to u32 words [n, ceil(bits / 32)], spare bits 0. */
  readonly codes: number;
  readonly n: number;
  /** 1 to 2^20. */
  readonly bits: number;
}

function writeCodes(instance: KernelInstance, { codes, n, bits, ...selection }: BinaryCodes): Parameters {
  const parameters = new Parameters(instance).i32(codes, n * binaryRowBytes(bits), n, bits);
  return writeSelection(parameters, n, selection);
}

/**
 * Takes the nearest codes into `top` (read them by `finishI32`).
 * @param queries pointer to u32 words [queries of top, ceil(bits / 32)]
 * @throws OutOfRangeError, ShapeError
 */
export function hammingScan(instance: KernelInstance, codes: BinaryCodes, queries: number, top: TopK): void {
  const parameters = writeCodes(instance, codes).i32(queries, top.queries * binaryRowBytes(codes.bits));
  writeKeys(parameters, top).call(instance.exports.hamming_scan_run);
}

/**
 * Every code within `radius` of a query, in the order of positions.
 * @param query pointer to u32 words [ceil(bits / 32)]
 * @param radius 0 or more
 * @throws OutOfRangeError, ShapeError, OutOfMemoryError
 */
export function hammingRange(
  instance: KernelInstance,
  codes: BinaryCodes,
  query: number,
  radius: number,
): Best<Int32Array<ArrayBuffer>> {
  const attempt = (room: number) => {
    const ids = instance.alloc(8 * room);
    try {
      const distances = ids + 4 * room;
      const parameters = writeCodes(instance, codes).i32(query, binaryRowBytes(codes.bits), radius);
      const count = parameters.i32(ids, distances, room).call(instance.exports.hamming_range_run);
      const found = Math.min(count, room);
      return { count, ids: instance.u32(ids, found).slice(), scores: instance.i32(distances, found).slice() };
    } finally {
      if (!instance.ended) instance.free(ids, 8 * room);
    }
  };
  const room = Math.min(codes.n, 1024);
  const first = attempt(room);
  const { ids, scores } = first.count > room ? attempt(first.count) : first;
  return { ids, scores };
}
