import { CheckpointError } from "./errors.ts";
import { elementCount, type HostTensor } from "./values.ts";

/** A checkpoint: what a run needs in order to go on, to the same bits. Stored as a safetensors file. */
export interface Checkpoint {
  /** Recipe, seed, epoch, log and the like; strings, as safetensors metadata are. */
  readonly metadata: Readonly<Record<string, string>>;
  readonly tensors: Readonly<Record<string, HostTensor>>;
}

/** The largest header that a reader accepts. */
const LARGEST_HEADER = 1 << 24;

/** Bytes of a safetensors file with these F32 tensors, in order of their names. */
export function encodeCheckpoint({ metadata, tensors }: Checkpoint): Uint8Array {
  const names = Object.keys(tensors).sort();
  const header: Record<string, unknown> = { __metadata__: metadata };
  let offset = 0;
  for (const name of names) {
    const { shape, data } = tensors[name] as HostTensor;
    header[name] = { dtype: "F32", shape, data_offsets: [offset, offset + data.byteLength] };
    offset += data.byteLength;
  }
  const text = new TextEncoder().encode(JSON.stringify(header));
  const length = Math.ceil(text.length / 8) * 8;
  const bytes = new Uint8Array(8 + length + offset);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(length), true);
  bytes.fill(0x20, 8, 8 + length);
  bytes.set(text, 8);
  let at = 8 + length;
  for (const name of names) {
    const { data } = tensors[name] as HostTensor;
    bytes.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), at);
    at += data.byteLength;
  }
  return bytes;
}

/** The inverse of `encodeCheckpoint`. @throws CheckpointError where header and bytes disagree */
export function decodeCheckpoint(bytes: Uint8Array, source = "checkpoint"): Checkpoint {
  if (bytes.length < 8) throw new CheckpointError(`${source}: ${bytes.length} bytes are no checkpoint`);
  const length = Number(new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0, true));
  if (length > LARGEST_HEADER || 8 + length > bytes.length) {
    throw new CheckpointError(`${source}: header of ${length} bytes in a file of ${bytes.length}`);
  }
  let header: Record<string, { dtype?: unknown; shape?: unknown; data_offsets?: unknown }>;
  try {
    header = JSON.parse(new TextDecoder().decode(bytes.subarray(8, 8 + length)));
  } catch (cause) {
    throw new CheckpointError(`${source}: its header is not JSON`, { cause });
  }
  const { __metadata__: metadata = {}, ...entries } = header;
  const tensors: Record<string, HostTensor> = {};
  for (const [name, { dtype, shape, data_offsets: offsets }] of Object.entries(entries)) {
    const [begin, end] = Array.isArray(offsets) ? (offsets as number[]) : [];
    const sizes = Array.isArray(shape) ? (shape as number[]) : undefined;
    if (
      dtype !== "F32" ||
      sizes === undefined ||
      !Number.isInteger(begin) ||
      !Number.isInteger(end) ||
      (begin as number) < 0 ||
      (end as number) - (begin as number) !== 4 * elementCount(sizes) ||
      8 + length + (end as number) > bytes.length
    ) {
      throw new CheckpointError(`${source}: ${name} does not fit its file of ${bytes.length} bytes`);
    }
    // A copy, aligned for float32 (the `slice` of Node's Buffer would share its memory).
    const data = new Uint8Array(bytes.subarray(8 + length + (begin as number), 8 + length + (end as number)));
    tensors[name] = { shape: sizes, data: new Float32Array(data.buffer) };
  }
  return { metadata: metadata as Record<string, string>, tensors };
}
