/** NumPy's .npz: a zip of .npy arrays by name. */

import { unzipSync, zipSync } from "fflate";
import type { Tensor } from "lowbit";
import { FileError } from "../errors.ts";
import { checkInflatedSize, MAX_INFLATED } from "./inflate.ts";
import { readNpy, writeNpy } from "./npy.ts";

/** More arrays than any data set has; a zip directory may announce billions. */
const MAX_ENTRIES = 4096;

/**
 * The arrays of an .npz file by name (`x` for `x.npy`), stored or deflated.
 *
 * @param only names to read; all where it is absent
 * @throws FileError
 */
export function readNpz(bytes: Uint8Array, only?: readonly string[]): Map<string, Tensor> {
  let entries = 0;
  let total = 0;
  let files: Record<string, Uint8Array>;
  try {
    files = unzipSync(bytes, {
      filter({ name, size, originalSize }) {
        if (++entries > MAX_ENTRIES) throw new FileError("npz", "arrays (at most)", MAX_ENTRIES, "more");
        if (!name.endsWith(".npy") || (only && !only.includes(name.slice(0, -4)))) return false;
        if (size > bytes.length) throw new FileError(`npz "${name}"`, "compressed size (at most)", bytes.length, size);
        checkInflatedSize(`npz "${name}"`, size, originalSize);
        total += originalSize;
        if (total > MAX_INFLATED) throw new FileError("npz", "inflated size (bytes, at most)", MAX_INFLATED, total);
        return true;
      },
    });
  } catch (cause) {
    if (cause instanceof FileError) throw cause;
    throw new FileError("npz", "file", "a zip of .npy arrays", cause instanceof Error ? cause.message : cause, cause);
  }
  return new Map(Object.entries(files).map(([name, data]) => [name.slice(0, -4), readNpy(data, name)]));
}

/** Writes arrays by name, uncompressed, as `numpy.savez` does. Same arrays, same bytes. */
export function writeNpz(arrays: ReadonlyMap<string, Tensor>): Uint8Array<ArrayBuffer> {
  // A fixed date: zip has no "none", and today's would change the bytes.
  const stored = { level: 0, mtime: new Date(1980, 0, 1) } as const;
  const files = [...arrays].map(([name, tensor]) => [`${name}.npy`, [writeNpy(tensor), stored]] as const);
  return new Uint8Array(zipSync(Object.fromEntries(files) as never));
}
