/** A file by its path, read through a handle. Loaded in Node, Deno and Bun alone. */
import type { FileHandle } from "node:fs/promises";
import { LoadError } from "lowbit";
import { FileError } from "../errors.ts";
import { checkBeside, checkRange, given, type Source, type SourceSettings } from "./source.ts";

// Names in variables keep bundlers for browsers from looking for the modules.
const modules = async () => {
  const [fs, path, url] = ["node:fs/promises", "node:path", "node:url"];
  return {
    ...((await import(/* @vite-ignore */ /* webpackIgnore: true */ fs!)) as typeof import("node:fs/promises")),
    ...((await import(/* @vite-ignore */ /* webpackIgnore: true */ path!)) as typeof import("node:path")),
    ...((await import(/* @vite-ignore */ /* webpackIgnore: true */ url!)) as typeof import("node:url")),
  };
};

const codeOf = (error: unknown): unknown => (error as { code?: string } | undefined)?.code ?? error;

/** @throws LoadError where it is no readable file */
export async function openFile(given: string | URL, settings: SourceSettings): Promise<Source> {
  const node = await modules();
  const path = typeof given === "string" ? given : node.fileURLToPath(given);
  let file: FileHandle | undefined;
  try {
    file = await node.open(path);
    const stat = await file.stat();
    if (!stat.isFile())
      throw Object.assign(new Error(), { code: stat.isDirectory() ? "a folder" : "a device or pipe" });
    return new FileSource(path, stat.size, file, settings);
  } catch (cause) {
    await file?.close();
    throw new LoadError("load", path, "a readable file", codeOf(cause), cause);
  }
}

class FileSource implements Source {
  constructor(
    readonly name: string,
    readonly size: number,
    readonly file: FileHandle,
    readonly settings: SourceSettings,
  ) {}

  async read(offset: number, length: number): Promise<Uint8Array<ArrayBuffer>> {
    checkRange(this.name, this.size, offset, length);
    const bytes = new Uint8Array(length);
    // One call reads at most 2 GiB, and may read less than it was asked for.
    for (let at = 0; at < length; ) {
      this.settings.signal?.throwIfAborted();
      const { bytesRead } = await this.file.read(bytes, at, Math.min(length - at, 2 ** 30), offset + at);
      if (bytesRead === 0)
        throw new FileError(this.name, "bytes of the file", this.size, `${offset + at}: it has shrunk`);
      at += bytesRead;
    }
    return bytes;
  }

  async beside(name: string): Promise<Source> {
    if (this.settings.files && Object.hasOwn(this.settings.files, name)) return given(this.name, name, this.settings);
    checkBeside(this.name, name);
    const { dirname, join, realpath, sep } = await modules();
    const path = join(dirname(this.name), name);
    const target = await realpath(path).catch((cause) => {
      throw new FileError(this.name, `file "${name}", which it needs`, `a file at ${path}`, codeOf(cause), cause);
    });
    // Where the model itself is a link into a store of files, its neighbours may be links into that store too.
    const folders = [await realpath(dirname(this.name)), dirname(await realpath(this.name))];
    if (!folders.some((folder) => target.startsWith(folder.endsWith(sep) ? folder : folder + sep)))
      throw new FileError(
        this.name,
        `file "${name}", which it needs`,
        "one inside its own folder",
        `a link to ${target}`,
      );
    return openFile(path, this.settings);
  }

  close(): Promise<void> {
    return this.file.close();
  }
}
