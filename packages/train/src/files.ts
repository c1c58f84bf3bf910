import { access, constants, open, rename, rm, stat } from "node:fs/promises";
import { dirname } from "node:path";
import { OutputError } from "./errors.ts";

/**
 * Makes sure, before an hour of training, that `path` can be written at its end.
 * @throws OutputError where it is a folder, or its folder is missing or not writable
 */
export async function ensureWritable(path: string): Promise<void> {
  if ((await stat(path).catch(() => undefined))?.isDirectory()) throw new OutputError(path, "it is a folder");
  const folder = dirname(path);
  try {
    await access(folder, constants.W_OK);
  } catch (cause) {
    throw new OutputError(path, `the folder ${folder} is missing or not writable`, { cause });
  }
}

/** Writes a whole file or leaves the old one: a new file beside it, flushed, then renamed. */
export async function writeAtomically(path: string, bytes: Uint8Array | string): Promise<void> {
  const temporary = `${path}.${process.pid}.tmp`;
  try {
    const file = await open(temporary, "w");
    try {
      await file.writeFile(bytes);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}
