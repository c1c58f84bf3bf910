/** Arrays in files: .npy holds one, .npz several by name. */

import type { Tensor } from "lowbit";
import { FileError } from "./errors.ts";
import { naming, readInput, writeOutput } from "./files.ts";

/** A zip file, which an .npz is, begins so. */
const isZip = (bytes: Uint8Array): boolean => bytes[0] === 0x50 && bytes[1] === 0x4b;

/** All arrays of a file, whatever its name says; the one of an .npy is called "". */
export async function readArrays(path: string): Promise<Map<string, Tensor>> {
  const bytes = await readInput(path);
  const { readNpy, readNpz } = await import("@lowbit/convert");
  return naming(path, () => (isZip(bytes) ? readNpz(bytes) : new Map([["", readNpy(bytes, path)]])));
}

/** Writes the arrays as the name asks: `.npz` by name, `.npy` the only one. */
export async function writeArrays(path: string, arrays: ReadonlyMap<string, Tensor>): Promise<void> {
  const { writeNpy, writeNpz } = await import("@lowbit/convert");
  const [only] = arrays.values();
  if (path.endsWith(".npz")) return writeOutput(path, writeNpz(arrays));
  if (arrays.size !== 1 || only === undefined)
    throw new FileError(
      path,
      `the model has ${arrays.size} outputs (${[...arrays.keys()].join(", ")}); name an .npz file`,
    );
  return writeOutput(path, writeNpy(only));
}
