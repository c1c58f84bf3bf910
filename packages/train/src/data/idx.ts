import { readFile } from "node:fs/promises";
import { gunzipSync } from "node:zlib";
import { DataError } from "../errors.ts";

/** An array of bytes in IDX, the format of the MNIST files: shape and row-major data. */
export interface IdxArray {
  readonly shape: readonly number[];
  readonly data: Uint8Array;
}

/** Type code of unsigned bytes, the only one that MNIST uses. */
const UNSIGNED_BYTE = 0x08;

/** No MNIST-like file is larger than this when unpacked; it bounds what a gzip header can make us allocate. */
const LARGEST_FILE = 1 << 28;

/**
 * Parses IDX: two zero bytes, type code, number of dimensions, each dimension as big-endian uint32, then the data.
 * @throws DataError on anything but unsigned bytes, or where header and length disagree
 */
export function parseIdx(bytes: Uint8Array, source = "IDX data"): IdxArray {
  if (bytes.length < 4 || bytes[0] !== 0 || bytes[1] !== 0 || bytes[2] !== UNSIGNED_BYTE) {
    throw new DataError(`${source}: not an IDX file of unsigned bytes (${bytes.length} bytes)`);
  }
  const rank = bytes[3] as number;
  const start = 4 + 4 * rank;
  if (bytes.length < start) throw new DataError(`${source}: header of ${start} bytes, file of ${bytes.length}`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const shape = Array.from({ length: rank }, (_, axis) => view.getUint32(4 + 4 * axis));
  const count = shape.reduce((product, size) => product * size, 1);
  if (bytes.length !== start + count) {
    throw new DataError(`${source}: shape [${shape.join(", ")}] needs ${start + count} bytes, got ${bytes.length}`);
  }
  return { shape, data: bytes.subarray(start) };
}

/** Reads a gzipped IDX file. @throws DataError where it is missing or damaged */
export async function readIdx(path: string): Promise<IdxArray> {
  let packed: Uint8Array;
  try {
    packed = await readFile(path);
  } catch (cause) {
    throw new DataError(`${path}: cannot be read`, { cause });
  }
  let bytes: Uint8Array;
  try {
    bytes = gunzipSync(packed, { maxOutputLength: LARGEST_FILE });
  } catch (cause) {
    throw new DataError(`${path}: not a gzip file of at most ${LARGEST_FILE} bytes`, { cause });
  }
  return parseIdx(bytes, path);
}
