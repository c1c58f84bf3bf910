/** Bytes from wherever a caller keeps them: memory, a Blob, a Response, a URL, or a file's path. */
import { IntegrityError, LoadError } from "./errors.ts";

/**
 * A string is a URL (`https:`, `data:`, `blob:`, `file:`, or relative to the page), or, in Node, Deno and Bun, a path.
 * Bytes are used as they are and must not change afterwards.
 */
export type ByteSource = string | URL | Response | Blob | ArrayBuffer | ArrayBufferView<ArrayBuffer>;

export interface SourceOptions {
  /** Called as bytes arrive; `total` is undefined where the server does not say. */
  readonly onProgress?: ((loaded: number, total: number | undefined) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Name of a Cache Storage cache to keep downloads in, where the engine has one; `false` (default): none. */
  readonly cache?: string | false | undefined;
  /** `sha256-…`, `sha384-…` or `sha512-…` (base64), as in HTML; several, separated by spaces: one must fit. */
  readonly integrity?: string | undefined;
}

/**
 * @throws LoadError where it cannot be read, IntegrityError where the digest differs, the signal's reason where aborted
 */
export async function readSource(source: ByteSource, options: SourceOptions = {}): Promise<Uint8Array<ArrayBuffer>> {
  options.signal?.throwIfAborted();
  const bytes = await read(source, options);
  options.signal?.throwIfAborted();
  if (options.integrity !== undefined) await checkIntegrity(bytes, options.integrity);
  return bytes;
}

async function read(source: ByteSource, options: SourceOptions): Promise<Uint8Array<ArrayBuffer>> {
  if (source instanceof ArrayBuffer) return new Uint8Array(source);
  if (ArrayBuffer.isView(source)) return new Uint8Array(source.buffer, source.byteOffset, source.byteLength);
  if (typeof source === "string" || source instanceof URL) {
    const path = filePath(source);
    return path === undefined ? readUrl(source, options) : readFile(path, options.signal);
  }
  if (source instanceof Response) return readBody(source, options);
  if (source instanceof Blob) return new Uint8Array(await source.arrayBuffer());
  throw new LoadError("load", "source", "a URL, path, Response, Blob or bytes", typeof source);
}

const hasFiles = (): boolean => typeof process === "object" && typeof process.versions?.node === "string";

/** The path that `source` stands for, or undefined where it is something to fetch. */
function filePath(source: string | URL): string | URL | undefined {
  if (!hasFiles()) return undefined;
  if (typeof source !== "string") return source.protocol === "file:" ? source : undefined;
  if (/^file:/i.test(source)) return new URL(source);
  // One letter before the colon is a drive.
  return /^[a-z][a-z0-9+.-]+:/i.test(source) ? undefined : source;
}

/** Files are read by the file system: `fetch` refuses `file:` in Node. */
async function readFile(path: string | URL, signal: AbortSignal | undefined): Promise<Uint8Array<ArrayBuffer>> {
  // A name in a variable keeps bundlers for browsers from looking for the module.
  const name = "node:fs/promises";
  const fs = (await import(/* @vite-ignore */ /* webpackIgnore: true */ name)) as typeof import("node:fs/promises");
  try {
    const bytes = await fs.readFile(path, { signal });
    return new Uint8Array(bytes.buffer as ArrayBuffer, bytes.byteOffset, bytes.byteLength);
  } catch (cause) {
    signal?.throwIfAborted();
    throw new LoadError("load", String(path), "a readable file", (cause as { code?: string }).code ?? cause, cause);
  }
}

async function readUrl(url: string | URL, options: SourceOptions): Promise<Uint8Array<ArrayBuffer>> {
  const { cache: name, integrity, signal } = options;
  const cache = name && typeof caches === "object" ? await caches.open(name).catch(() => undefined) : undefined;
  const kept = await cache?.match(url).catch(() => undefined);
  if (kept) {
    const bytes = await readBody(kept, options);
    // What was stored may be of an older version of the file.
    if (integrity === undefined || (await findDigest(bytes, integrity)).fits) return bytes;
  }
  const bytes = await readBody(await get(url, signal), options);
  // Only what has the digest that was asked for may come back the next time.
  if (cache && (integrity === undefined || (await findDigest(bytes, integrity)).fits))
    await cache.put(url, new Response(bytes)).catch(() => undefined);
  return bytes;
}

async function get(url: string | URL, signal: AbortSignal | undefined): Promise<Response> {
  try {
    return await fetch(url, signal ? { signal } : {});
  } catch (cause) {
    signal?.throwIfAborted();
    throw new LoadError("load", String(url), "a response", cause, cause);
  }
}

async function readBody(response: Response, { onProgress, signal }: SourceOptions): Promise<Uint8Array<ArrayBuffer>> {
  if (!response.ok) throw new LoadError("load", response.url || "response", "HTTP status 200", response.status);
  if (!onProgress || !response.body) return new Uint8Array(await response.arrayBuffer());
  // A compressed response's length is not that of the bytes we see.
  const length = response.headers.has("content-encoding") ? null : response.headers.get("content-length");
  const total = length === null ? undefined : Number(length);
  const chunks: Uint8Array[] = [];
  let loaded = 0;
  const reader = response.body.getReader();
  for (;;) {
    signal?.throwIfAborted();
    const { done, value } = await reader.read();
    if (done) break;
    chunks.push(value);
    loaded += value.length;
    onProgress(loaded, total);
  }
  // Sized by what came, not by what the header promised.
  const bytes = new Uint8Array(loaded);
  let at = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, at);
    at += chunk.length;
  }
  return bytes;
}

const algorithms: Record<string, string> = { sha256: "SHA-256", sha384: "SHA-384", sha512: "SHA-512" };

async function checkIntegrity(bytes: Uint8Array<ArrayBuffer>, integrity: string): Promise<void> {
  const { fits, got } = await findDigest(bytes, integrity);
  if (!fits) throw new IntegrityError("load", "digest of the bytes", integrity, got);
}

/** Whether one of the digests fits; `got` is the last that was computed. */
async function findDigest(
  bytes: Uint8Array<ArrayBuffer>,
  integrity: string,
): Promise<{ readonly fits: boolean; readonly got: string }> {
  let got = "";
  for (const entry of integrity.trim().split(/\s+/)) {
    const [, algorithm = "", digest] = /^(\w+)-([A-Za-z0-9+/=_-]+)$/.exec(entry) ?? [];
    const name = algorithms[algorithm];
    if (!name || !digest)
      throw new IntegrityError("load", "integrity", "sha256-, sha384- or sha512- and base64", entry);
    const hash = new Uint8Array(await crypto.subtle.digest(name, bytes));
    const found = btoa(String.fromCharCode(...hash));
    if (found === digest) return { fits: true, got };
    got = `${algorithm}-${found}`;
  }
  return { fits: false, got };
}
