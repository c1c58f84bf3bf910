/** Bytes at any place of a file: what importers read, from wherever a caller keeps the file. */
import { type ByteSource, readSource } from "lowbit";
import { FileError } from "../errors.ts";

export interface Source {
  /** Path, URL or name of the file, for messages; `bytes` where it has none. */
  readonly name: string;
  /** Bytes of the file. */
  readonly size: number;
  /**
   * `length` bytes from `offset` on; nobody changes them afterwards.
   * @throws FileError where they are not all inside the file, LoadError where they cannot be read
   */
  read(offset: number, length: number): Promise<Uint8Array<ArrayBuffer>>;
  /**
   * The file that this one calls `name`, in its own folder or one below.
   * @throws FileError for a name that leaves the folder and for a file that is not there
   */
  beside(name: string): Promise<Source>;
  close(): Promise<void>;
}

export interface SourceSettings {
  /** Files that the main one names (shards, external data), by name: for sources that have no folder, such as bytes and Blobs. */
  readonly files?: Readonly<Record<string, ByteSource>> | undefined;
  /** Opens those that are not among `files`, for a caller that has read the bytes of a file and knows its folder. */
  readonly beside?: ((name: string) => Promise<Source>) | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Opens a file to be read piece by piece: a path (Node, Deno, Bun) by a file handle, a URL by HTTP ranges (whole, where the server has none),
 * a Blob by slices, bytes as they are.
 *
 * @throws LoadError where it cannot be opened, the signal's reason where aborted
 */
export async function openSource(source: ByteSource, settings: SourceSettings = {}): Promise<Source> {
  settings.signal?.throwIfAborted();
  if (typeof source === "string" || source instanceof URL) {
    const path = filePath(source);
    if (path !== undefined) return (await import("./file.ts")).openFile(path, settings);
    if (/^https?:/i.test(new URL(source, globalThis.location?.href).protocol))
      return (await import("./url.ts")).openUrl(source, settings);
  }
  if (typeof Blob === "function" && source instanceof Blob) return new BlobSource(source, settings);
  const name = typeof source === "string" && !source.startsWith("data:") ? source : "bytes";
  return new ByteArraySource(await readSource(source, settings), settings, name);
}

/** The path that a string or URL stands for in Node, Deno and Bun; undefined where it is something to fetch. */
function filePath(source: string | URL): string | URL | undefined {
  if (typeof process !== "object" || typeof process.versions?.node !== "string") return undefined;
  if (typeof source !== "string") return source.protocol === "file:" ? source : undefined;
  if (/^file:/i.test(source)) return new URL(source);
  // One letter before the colon is a drive.
  return /^[a-z][a-z0-9+.-]+:/i.test(source) ? undefined : source;
}

/** @throws FileError where the range is not inside the file */
export function checkRange(name: string, size: number, offset: number, length: number): void {
  if (!(offset >= 0 && length >= 0 && offset + length <= size))
    throw new FileError(name, "bytes to read (at most)", size, `${length} from ${offset} on`);
}

/** Whether a name stays in the folder that it is looked up in: no `..`, no root, no drive, no scheme. */
export function staysInside(name: string): boolean {
  const parts = name.split(/[/\\]/);
  return name !== "" && !name.includes("\0") && !/^[/\\]|^[a-z][a-z0-9+.-]*:/i.test(name) && !parts.includes("..");
}

/** @throws FileError where the name leaves the folder of `from` */
export function checkBeside(from: string, name: string): void {
  if (!staysInside(name))
    throw new FileError(from, "name of a file that it needs", "one inside its own folder", `"${name}"`);
}

/** A file that was given by name. */
export async function given(from: string, name: string, { files, beside, signal }: SourceSettings): Promise<Source> {
  checkBeside(from, name);
  const file = files && Object.hasOwn(files, name) ? files[name] : undefined;
  if (file === undefined && beside) return beside(name);
  if (file === undefined)
    throw new FileError(
      from,
      "files given with it",
      `"${name}", which it needs`,
      Object.keys(files ?? {}).join(", ") || "none",
    );
  return openSource(file, { files, signal });
}

class ByteArraySource implements Source {
  constructor(
    readonly bytes: Uint8Array<ArrayBuffer>,
    readonly settings: SourceSettings,
    readonly name: string,
  ) {}

  get size(): number {
    return this.bytes.length;
  }

  async read(offset: number, length: number): Promise<Uint8Array<ArrayBuffer>> {
    checkRange(this.name, this.size, offset, length);
    return this.bytes.subarray(offset, offset + length);
  }

  beside(name: string): Promise<Source> {
    return given(this.name, name, this.settings);
  }

  async close(): Promise<void> {}
}

class BlobSource implements Source {
  constructor(
    readonly blob: Blob,
    readonly settings: SourceSettings,
  ) {}

  get name(): string {
    return "name" in this.blob ? String(this.blob.name) : "blob";
  }

  get size(): number {
    return this.blob.size;
  }

  async read(offset: number, length: number): Promise<Uint8Array<ArrayBuffer>> {
    checkRange(this.name, this.size, offset, length);
    this.settings.signal?.throwIfAborted();
    return new Uint8Array(await this.blob.slice(offset, offset + length).arrayBuffer());
  }

  beside(name: string): Promise<Source> {
    return given(this.name, name, this.settings);
  }

  async close(): Promise<void> {}
}
