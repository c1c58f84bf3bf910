/** One hurt file in front of a reader. */
import { getHeapStatistics } from "node:v8";
import { LowbitError } from "lowbit";
import { RandomData } from "../../../core/src/testing/random-data.ts";
import type { FuzzedReader } from "./readers.ts";

export interface Attempt {
  readonly isRead: boolean;
  readonly ms: number;
  /** What must not be: absent where all is well. */
  readonly failure?: string;
}

/** The input of a seed: which file is hurt, and how. */
export const inputOf = ({ mutate }: FuzzedReader, files: readonly Uint8Array[], seed: number): Uint8Array =>
  mutate(files[seed % files.length]!, new RandomData(seed));

/** Bytes of buffers and of kernels' memories, which the engine counts as they are made. */
const buffers = (): number => getHeapStatistics().external_memory;
/** Every so many-th attempt has its memory measured, for asking takes longer than reading. */
let turn = 0;

/** Reads the file: a named error of one line or what is in it, within a second, in buffers of twice its size. */
export async function attempt({ read, beside = 0 }: FuzzedReader, bytes: Uint8Array): Promise<Attempt> {
  const isMeasured = turn++ % 8 === 0;
  const before = isMeasured ? buffers() : 0;
  const start = performance.now();
  let failure: string | undefined;
  let isRead = false;
  try {
    await read(bytes);
    isRead = true;
  } catch (error) {
    if (!(error instanceof LowbitError)) failure = `no named error: ${(error as Error).stack ?? error}`;
    else if (error.message.includes("\n")) failure = `a message of several lines: ${error.message}`;
  }
  let ms = performance.now() - start;
  if (ms >= 1000) {
    // Once more, by the processor's clock: a machine that is busy with other things stops a process for seconds.
    const again = process.cpuUsage();
    await Promise.resolve(bytes)
      .then(read)
      .catch(() => undefined);
    const { user, system } = process.cpuUsage(again);
    ms = Math.min(ms, (user + system) / 1000);
  }
  if (ms >= 1000) failure ??= `${Math.round(ms)} ms`;
  const taken = isMeasured ? buffers() - before : 0;
  // Small arrays of sizes and shapes come on top of the tensors'.
  if (taken > 2 * bytes.length + beside + 2 ** 20)
    failure ??= `${taken} bytes of buffers for a file of ${bytes.length}`;
  return { isRead, ms, ...(failure !== undefined && { failure }) };
}
