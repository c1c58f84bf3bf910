/** Reading and writing files so that nothing is ever half there, and every failure names its path. */

import { randomBytes } from "node:crypto";
import { constants, rmSync } from "node:fs";
import { access, type FileHandle, open, readFile, realpath, rename, stat, unlink } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { FileError, fileError, UsageError } from "./errors.ts";

/** The whole file. Throws {@link FileError} where there is none, it is a folder, it is empty or it is over 2 GiB. */
export async function readInput(path: string): Promise<Uint8Array> {
  let bytes: Uint8Array;
  try {
    bytes = await readFile(path);
  } catch (error) {
    throw fileError(path, error);
  }
  if (bytes.length === 0) throw new FileError(path, "the file is empty");
  return bytes;
}

/** Runs `parse` over the bytes of `path`; an error that does not name the file gets its name in front. */
export async function naming<T>(path: string, parse: () => T | Promise<T>): Promise<T> {
  try {
    return await parse();
  } catch (error) {
    if (error instanceof Error && error.name !== "AbortError" && !error.message.startsWith(path))
      throw new FileError(path, error.message, { cause: error });
    throw error;
  }
}

/**
 * Called before any work is done: OUT must not be one of the inputs (under any name: links are followed), and its
 * folder must exist and take files.
 */
export async function checkOutput(output: string, inputs: readonly string[]): Promise<void> {
  const target = await stat(output).catch(() => undefined);
  if (target?.isDirectory()) throw new FileError(output, "is a folder, not a file to write");
  for (const input of inputs) {
    const source = await stat(input).catch(() => undefined);
    if (source && target && source.dev === target.dev && source.ino === target.ino)
      throw new UsageError(`${output}: the output would overwrite the input ${input}; choose another name`);
  }
  // A device or a pipe is written in place and asks nothing of its folder.
  if (target && !target.isFile()) return;
  const folder = dirname(output);
  try {
    if (!(await stat(folder)).isDirectory()) throw new FileError(folder, "is not a folder");
    await access(folder, constants.W_OK | constants.X_OK);
  } catch (error) {
    throw fileError(folder, error);
  }
}

async function writeAll(file: FileHandle, data: Uint8Array | string): Promise<void> {
  await file.writeFile(data);
  // Some file systems report a full disk only here.
  await file.sync().catch((error: NodeJS.ErrnoException) => {
    // Devices and pipes cannot be synced; that loses nothing.
    if (error.code !== "EINVAL" && error.code !== "ENOTSUP") throw error;
  });
}

/**
 * Writes all of `data` or nothing: into a new file beside the target, which then takes the target's name in one step.
 * A link is followed; a device or a pipe is written in place.
 */
export async function writeOutput(path: string, data: Uint8Array | string): Promise<void> {
  const existing = await stat(path).catch(() => undefined);
  const target = existing ? await realpath(path) : path;
  const inPlace = existing !== undefined && !existing.isFile();
  const written = inPlace
    ? target
    : join(dirname(target), `.${basename(target)}.${randomBytes(6).toString("hex")}.tmp`);
  let created = false;
  const onInterrupt = () => {
    if (created) rmSync(written, { force: true });
    process.exit(130);
  };
  process.once("SIGINT", onInterrupt);
  try {
    const file = await open(written, inPlace ? "w" : "wx", existing?.mode);
    created = !inPlace;
    try {
      await writeAll(file, data);
    } finally {
      await file.close();
    }
    if (!inPlace) await rename(written, target);
  } catch (error) {
    if (created) await unlink(written).catch(() => {});
    const atFolder = !created && !inPlace;
    throw fileError(atFolder ? dirname(path) : path, error);
  } finally {
    process.removeListener("SIGINT", onInterrupt);
  }
}
