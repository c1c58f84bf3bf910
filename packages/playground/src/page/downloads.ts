/** Files of the page: fetched once, kept in the browser, checked by their digests. */
import { type RawTensor, readSource, type WasmSource, writeSafetensors } from "lowbit";
import type { WasmProvider } from "lowbit/kernels";
import type { FileRef, IndexRef, Manifest } from "../manifest.ts";

/** Names of files are digests, so files of an older page are told by name. */
const KEPT = "reverse-dictionary-data";

/** Private windows of some browsers have no such storage: all works there but for a second visit without a network. */
const storage = (): Promise<Cache | undefined> =>
  typeof caches === "object" ? caches.open(KEPT).catch(() => undefined) : Promise.resolve(undefined);

export class Downloads {
  readonly #base: string;

  /** @param base the page's folder */
  constructor(base: string) {
    this.#base = base;
  }

  urlOf({ path }: FileRef): string {
    return new URL(path, this.#base).href;
  }

  /** @param onBytes called with the bytes that came since the last call */
  async read(file: FileRef, onBytes?: (bytes: number) => void): Promise<Uint8Array<ArrayBuffer>> {
    let seen = 0;
    const bytes = await readSource(this.urlOf(file), {
      cache: KEPT,
      integrity: file.integrity,
      onProgress(loaded) {
        onBytes?.(loaded - seen);
        seen = loaded;
      },
    });
    return bytes;
  }

  async json(file: FileRef, onBytes?: (bytes: number) => void): Promise<object> {
    return JSON.parse(new TextDecoder().decode(await this.read(file, onBytes)));
  }

  async gunzip(file: FileRef, onBytes?: (bytes: number) => void): Promise<Uint8Array> {
    const body = new Blob([await this.read(file, onBytes)]).stream().pipeThrough(new DecompressionStream("gzip"));
    return new Uint8Array(await new Response(body).arrayBuffer());
  }

  /** The file of an index, put together of its tensors; its own digests are looked at when it is loaded. */
  async index({ metadata, tensors }: IndexRef, onBytes?: (bytes: number) => void): Promise<Uint8Array<ArrayBuffer>> {
    const read = new Map<string, RawTensor>();
    for (const { name, dtype, shape, file } of tensors)
      read.set(name, { dtype, shape, bytes: await this.read(file, onBytes) });
    return writeSafetensors(read, new Map(Object.entries(metadata)));
  }

  /** Modules of the kernels, kept as all else is. */
  wasm({ wasm }: Manifest): WasmProvider {
    return async (tier, part): Promise<WasmSource> => {
      const file = wasm[`${part}.${tier}`];
      if (!file) throw new Error(`no module ${part} for ${tier}`);
      return this.read(file);
    };
  }

  /** Which files are kept already. */
  async kept(files: readonly FileRef[]): Promise<ReadonlySet<string>> {
    const cache = await storage();
    const known = new Set((await cache?.keys())?.map(({ url }) => url));
    return new Set(files.filter((file) => known.has(this.urlOf(file))).map(({ path }) => path));
  }

  /** Drops what an older page left. */
  async prune(files: readonly FileRef[]): Promise<void> {
    const cache = await storage();
    const wanted = new Set(files.map((file) => this.urlOf(file)));
    for (const request of (await cache?.keys()) ?? []) if (!wanted.has(request.url)) await cache?.delete(request);
  }
}
