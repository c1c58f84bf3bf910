/** What fuzz tests of readers share: edits of bytes, and what every mutated file must come to. */
import { LowbitError } from "lowbit";
import { expect } from "vitest";
import type { RandomData } from "../../../core/src/testing/random-data.ts";

/** A mutation of a file. */
export type Mutate = (source: Uint8Array, random: RandomData) => Uint8Array;

/** `length` bytes from `at` on cut out. */
export const cut = (bytes: Uint8Array, at: number, length: number): Uint8Array<ArrayBuffer> =>
  Uint8Array.from([...bytes.subarray(0, at), ...bytes.subarray(at + length)]);

/** `length` bytes from `at` on doubled. */
export const doubled = (bytes: Uint8Array, at: number, length: number): Uint8Array<ArrayBuffer> =>
  Uint8Array.from([...bytes.subarray(0, at), ...bytes.subarray(at, at + length), ...bytes.subarray(at)]);

/** Reads `count` mutated files: named errors of one line only, none takes a second. @returns how many were read */
export function readMutated(
  files: readonly Uint8Array[],
  { count, random, mutate, read }: { count: number; random: RandomData; mutate: Mutate; read(bytes: Uint8Array): void },
): number {
  let accepted = 0;
  for (let i = 0; i < count; i++) {
    const bytes = mutate(files[i % files.length]!, random);
    const start = performance.now();
    try {
      read(bytes);
      accepted++;
    } catch (error) {
      if (!(error instanceof LowbitError))
        throw new Error(`mutation ${i}: ${(error as Error).stack}`, { cause: error });
      expect(error.message).not.toMatch(/\n/);
    }
    expect(performance.now() - start, `mutation ${i}`).toBeLessThan(1000);
  }
  return accepted;
}

/** The most memory of buffers, above that before, while `count` mutated files are read. */
export function memoryOf(count: number, read: (i: number) => void): number {
  const before = process.memoryUsage().arrayBuffers;
  let peak = before;
  for (let i = 0; i < count; i++) {
    try {
      read(i);
    } catch (error) {
      expect(error).toBeInstanceOf(LowbitError);
    }
    peak = Math.max(peak, process.memoryUsage().arrayBuffers);
  }
  return peak - before;
}
