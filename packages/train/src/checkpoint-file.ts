/** Checkpoints as files: the part of a run that needs Node. */
import { readFile } from "node:fs/promises";
import { type Checkpoint, decodeCheckpoint, encodeCheckpoint } from "./checkpoint.ts";
import { writeAtomically } from "./files.ts";

/** The checkpoint at `path`, or undefined where there is none. */
export async function readCheckpoint(path: string): Promise<Checkpoint | undefined> {
  let bytes: Uint8Array;
  try {
    bytes = await readFile(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
  return decodeCheckpoint(bytes, path);
}

/** Puts a checkpoint at `path`, whole or not at all. */
export const writeCheckpoint = (path: string, checkpoint: Checkpoint): Promise<void> =>
  writeAtomically(path, encodeCheckpoint(checkpoint));
