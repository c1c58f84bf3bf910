import { readFile } from "node:fs/promises";
import { DataError } from "../errors.ts";

/** A file of a data set. @throws DataError where it cannot be read */
export async function readDataFile(path: string): Promise<Uint8Array> {
  try {
    return await readFile(path);
  } catch (cause) {
    throw new DataError(`${path}: cannot be read`, { cause });
  }
}
