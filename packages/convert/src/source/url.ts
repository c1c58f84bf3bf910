/** A file behind HTTP, read by ranges where the server has them. */
import { LoadError, readSource } from "lowbit";
import { FileError } from "../errors.ts";
import { checkBeside, checkRange, given, openSource, type Source, type SourceSettings } from "./source.ts";

/** Bytes of the first request: the headers of most files. */
const FIRST = 2 ** 16;

/** @throws LoadError where nothing comes, or the server says neither the file's size nor sends all of it */
export async function openUrl(source: string | URL, settings: SourceSettings): Promise<Source> {
  const url = new URL(source, globalThis.location?.href);
  const response = await request(url, 0, FIRST, settings.signal);
  const size = response.status === 206 ? await sizeOf(url, response, settings.signal) : undefined;
  if (size !== undefined)
    return new UrlSource(
      url,
      size,
      response.headers.get("etag"),
      new Uint8Array(await response.arrayBuffer()),
      settings,
    );
  // The server sends the whole file, or does not say how much there is.
  const whole = response.status === 200 ? response : url;
  const bytes = await readSource(whole, { signal: settings.signal });
  return new UrlSource(url, bytes.length, null, bytes, settings);
}

async function request(url: URL, from: number, to: number, signal?: AbortSignal): Promise<Response> {
  let response: Response;
  try {
    response = await fetch(url, { headers: { range: `bytes=${from}-${to - 1}` }, ...(signal && { signal }) });
  } catch (cause) {
    signal?.throwIfAborted();
    throw new LoadError("load", url.href, "a response", cause, cause);
  }
  // An empty file has no first byte to send.
  if (!response.ok && !(response.status === 416 && from === 0))
    throw new LoadError("load", url.href, "HTTP status 200 or 206", response.status);
  return response;
}

/** Of `Content-Range: bytes 0-9/1234`; where another origin's is not shown, of a HEAD request. */
async function sizeOf(url: URL, response: Response, signal?: AbortSignal): Promise<number | undefined> {
  const total = /\/(\d+)$/.exec(response.headers.get("content-range") ?? "")?.[1];
  if (total !== undefined) return Number(total);
  const head = await fetch(url, { method: "HEAD", ...(signal && { signal }) }).catch(() => undefined);
  const length = head?.ok && !head.headers.has("content-encoding") ? head.headers.get("content-length") : null;
  return length ? Number(length) : undefined;
}

class UrlSource implements Source {
  constructor(
    readonly url: URL,
    readonly size: number,
    readonly etag: string | null,
    /** What has come already, from the front. */
    readonly first: Uint8Array<ArrayBuffer>,
    readonly settings: SourceSettings,
  ) {}

  get name(): string {
    return this.url.href;
  }

  async read(offset: number, length: number): Promise<Uint8Array<ArrayBuffer>> {
    checkRange(this.name, this.size, offset, length);
    const end = offset + length;
    if (end <= this.first.length) return this.first.subarray(offset, end);
    const { signal } = this.settings;
    const response = await request(this.url, offset, end, signal);
    if (response.status !== 206) throw new LoadError("load", this.name, "HTTP status 206, as before", response.status);
    if (response.headers.get("etag") !== this.etag)
      throw new LoadError(
        "load",
        this.name,
        `the file ${this.etag}`,
        `${response.headers.get("etag")}: it has changed`,
      );
    const bytes = new Uint8Array(await response.arrayBuffer());
    if (bytes.length !== length) throw new FileError(this.name, "bytes of a range", length, bytes.length);
    return bytes;
  }

  async beside(name: string): Promise<Source> {
    if (this.settings.files && Object.hasOwn(this.settings.files, name)) return given(this.name, name, this.settings);
    checkBeside(this.name, name);
    const path = name.split(/[/\\]/).map(encodeURIComponent).join("/");
    return openSource(new URL(path, this.url), this.settings);
  }

  async close(): Promise<void> {}
}
