/** Texts to vectors, kept on disk as they come: what was stopped, by a signal or by force, goes on where it was. */
import { type FileHandle, open } from "node:fs/promises";
import { lock } from "./lock.ts";

/** Encodes a few texts: f32 [texts, size], one row behind the other. */
export type EncodeTexts = (texts: readonly string[]) => Promise<Float32Array>;

export interface EncodeOptions {
  /** Rows of f32, nothing else. It belongs to these texts and this encoder: its name should say so. */
  readonly file: string;
  readonly texts: readonly string[];
  /** Coordinates of a vector. */
  readonly size: number;
  /** They work side by side. */
  readonly encoders: readonly EncodeTexts[];
  /** Texts of a call. */
  readonly batch?: number;
  readonly signal?: AbortSignal;
  readonly onProgress?: (done: number, all: number) => void;
}

/** How far a vector's squared length, which the encoder makes 1, may be off. */
const TOLERANCE = 1e-3;

/**
 * @returns f32 [texts, size]
 * @throws the signal's reason or an encoder's error, after which the file holds every row that was whole; Error where another process writes the file
 */
export async function encodeAll(options: EncodeOptions): Promise<Float32Array> {
  const { file, texts, size } = options;
  const unlock = await lock(file);
  let handle: FileHandle | undefined;
  try {
    // Made where there is none; never emptied.
    handle = await open(file, "a+");
    await encodeMissing(handle, options);
    const data = new Float32Array(texts.length * size);
    await readAt(handle, new Uint8Array(data.buffer), 0);
    return data;
  } finally {
    await handle?.close();
    await unlock();
  }
}

async function encodeMissing(
  handle: FileHandle,
  { texts, size, encoders, batch = 128, signal, onProgress }: EncodeOptions,
): Promise<void> {
  let written = await wholeRows(handle, size);
  onProgress?.(Math.min(written, texts.length), texts.length);
  let next = written;
  let failed = false;
  const waiting = new Map<number, Float32Array>();
  let writing = Promise.resolve();
  /** Rows go into the file in the order of their texts, so its length says what is done. */
  const write = async () => {
    for (let rows = waiting.get(written); rows; rows = waiting.get(written)) {
      waiting.delete(written);
      await handle.appendFile(new Uint8Array(rows.buffer, rows.byteOffset, rows.byteLength));
      written += rows.length / size;
      onProgress?.(written, texts.length);
    }
  };
  const work = async (encode: EncodeTexts) => {
    while (next < texts.length && !failed) {
      signal?.throwIfAborted();
      const from = next;
      next = Math.min(texts.length, from + batch);
      const rows = await encode(texts.slice(from, next));
      if (rows.length !== (Math.min(texts.length, from + batch) - from) * size)
        throw new Error(`encoder: expected rows of ${size}, got ${rows.length} numbers`);
      waiting.set(from, rows);
      writing = writing.then(write);
      await writing;
    }
  };
  // All have ended before the file is closed; the first error is what is told.
  const ends = await Promise.allSettled(
    encoders.map((encode) =>
      work(encode).catch((error) => {
        failed = true;
        throw error;
      }),
    ),
  );
  for (const end of ends) if (end.status === "rejected") throw end.reason;
}

/** Rows that are whole; what was torn when a process was killed, or damaged at the end, is cut off. */
async function wholeRows(handle: FileHandle, size: number): Promise<number> {
  const bytes = 4 * size;
  let rows = Math.floor((await handle.stat()).size / bytes);
  const row = new Float32Array(size);
  for (; rows > 0; rows--) {
    await readAt(handle, new Uint8Array(row.buffer), (rows - 1) * bytes);
    const length = row.reduce((sum, x) => sum + x * x, 0);
    if (Math.abs(length - 1) < TOLERANCE) break;
  }
  await handle.truncate(rows * bytes);
  return rows;
}

async function readAt(handle: FileHandle, into: Uint8Array, position: number): Promise<void> {
  for (let at = 0; at < into.length; ) {
    const { bytesRead } = await handle.read(into, at, Math.min(into.length - at, 1 << 26), position + at);
    if (bytesRead === 0) throw new Error(`vectors: expected ${into.length} bytes at ${position}, got ${at}`);
    at += bytesRead;
  }
}
