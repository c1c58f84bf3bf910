/** Limits for compressed input, checked before anything is inflated. */
import { FileError } from "../errors.ts";

/** DEFLATE cannot do better than this many bytes out of one. */
const MAX_RATIO = 1032;

/** Most bytes that one file may inflate to. */
export const MAX_INFLATED = 2 ** 31;

/** Refuses an announced size that the compressed bytes cannot have, or that is too large to hold. */
export function checkInflatedSize(op: string, compressed: number, announced: number): void {
  const most = Math.min(compressed * MAX_RATIO + 1024, MAX_INFLATED);
  if (announced > most) throw new FileError(op, "inflated size (bytes, at most)", most, announced);
}
