/** Reading and writing files so that nothing is ever half there, and every failure names its path. */

import { randomBytes } from "node:crypto";
import { constants, rmSync } from "node:fs";
import { access, type FileHandle, open, readFile, realpath, rename, stat, unlink } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { complain, FileError, fileError, interrupted, UsageError } from "./errors.ts";
import { isListenedTo } from "./interrupt.ts";

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

async function synced(file: FileHandle): Promise<void> {
  // Some file systems report a full disk only here.
  await file.sync().catch((error: NodeJS.ErrnoException) => {
    // Devices and pipes cannot be synced; that loses nothing.
    if (error.code !== "EINVAL" && error.code !== "ENOTSUP") throw error;
  });
}

/** A file that appears whole, or not at all. */
export interface Output {
  /** Appends. */
  write(data: Uint8Array | string): Promise<void>;
  /** Gives the file its name. */
  finish(): Promise<void>;
  /** Removes what was written; nothing where the file is finished. */
  discard(): Promise<void>;
}

/** Files that an interrupt must not leave behind. */
const unfinished = new Set<string>();

/** Where nobody else ends in good order: files that are begun are finished or taken away then, as any failure does it. */
function onInterrupt(): void {
  if (isListenedTo()) return;
  for (const path of unfinished) rmSync(path, { force: true });
  complain(interrupted());
  process.exit(130);
}

function watch(path: string): void {
  if (unfinished.size === 0) process.on("SIGINT", onInterrupt);
  unfinished.add(path);
}

function unwatch(path: string): void {
  unfinished.delete(path);
  if (unfinished.size === 0) process.removeListener("SIGINT", onInterrupt);
}

const temporary = (target: string): string =>
  join(dirname(target), `.${basename(target)}.${randomBytes(6).toString("hex")}.tmp`);

/**
 * Opens a new file beside the target, which takes the target's name in one step when it is finished. A link is followed; a device or a pipe is written in place.
 */
export async function openOutput(path: string): Promise<Output> {
  const existing = await stat(path).catch(() => undefined);
  const target = existing ? await realpath(path) : path;
  const inPlace = existing !== undefined && !existing.isFile();
  const written = inPlace ? target : temporary(target);
  let file: FileHandle;
  try {
    file = await open(written, inPlace ? "w" : "wx", existing?.mode);
  } catch (error) {
    throw fileError(inPlace ? path : dirname(path), error);
  }
  if (!inPlace) watch(written);
  let pending = true;
  const discard = async () => {
    if (!pending) return;
    pending = false;
    await file.close().catch(() => {});
    if (inPlace) return;
    await unlink(written).catch(() => {});
    unwatch(written);
  };
  const naming = async (work: () => Promise<void>) => {
    try {
      await work();
    } catch (error) {
      await discard();
      throw fileError(path, error);
    }
  };
  return {
    write: (data) => naming(() => file.writeFile(data)),
    finish: () =>
      naming(async () => {
        await synced(file);
        await file.close();
        if (!inPlace) await rename(written, target);
        pending = false;
        if (!inPlace) unwatch(written);
      }),
    discard,
  };
}

/** Writes all of `data` or nothing, as {@link openOutput} does. */
export async function writeOutput(path: string, data: Uint8Array | string): Promise<void> {
  const output = await openOutput(path);
  await output.write(data);
  await output.finish();
}

/** Bytes that wait on the disk until an output can take them. */
export interface Spool {
  /** Appends. @returns where they begin */
  append(bytes: Uint8Array): Promise<number>;
  /** The bytes from `offset` on, in parts of some MB. */
  parts(offset: number, length: number): AsyncGenerator<Uint8Array, void, void>;
  /** Removes it. */
  close(): Promise<void>;
}

const PART = 2 ** 23;

/** @param path of the output, beside which the spool stands */
export async function openSpool(path: string): Promise<Spool> {
  const written = temporary(path);
  const file = await open(written, "wx+").catch((error) => {
    throw fileError(dirname(path), error);
  });
  watch(written);
  let size = 0;
  return {
    async append(bytes) {
      const start = size;
      try {
        for (let at = 0; at < bytes.length; at += PART) {
          const part = bytes.subarray(at, at + PART);
          for (let done = 0; done < part.length; )
            done += (await file.write(part, done, part.length - done, start + at + done)).bytesWritten;
        }
      } catch (error) {
        throw fileError(path, error);
      }
      size += bytes.length;
      return start;
    },
    async *parts(offset, length) {
      const buffer = new Uint8Array(Math.min(PART, length));
      for (let at = 0; at < length; ) {
        const { bytesRead } = await file.read(buffer, 0, Math.min(PART, length - at), offset + at);
        if (bytesRead === 0) throw new FileError(path, "what waited to be written is gone");
        yield buffer.subarray(0, bytesRead);
        at += bytesRead;
      }
    },
    async close() {
      await file.close();
      await unlink(written).catch(() => {});
      unwatch(written);
    },
  };
}
