/** Files of a page, named by what is in them. */
import { createHash } from "node:crypto";
import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { type Index, saveIndex } from "@lowbit/search";
import { readSafetensors } from "lowbit";
import type { FileRef, IndexRef } from "../manifest.ts";

export class SiteFiles {
  readonly #written = new Map<string, FileRef>();

  constructor(readonly folder: string) {}

  /** Writes `bytes` unless they are there already, for another index perhaps. */
  async add(bytes: Uint8Array | string, ending = ""): Promise<FileRef> {
    const data = typeof bytes === "string" ? new TextEncoder().encode(bytes) : bytes;
    const digest = createHash("sha256").update(data).digest();
    const path = `data/${digest.toString("hex").slice(0, 16)}${ending}`;
    const known = this.#written.get(path);
    if (known) return known;
    const file = { path, bytes: data.length, integrity: `sha256-${digest.toString("base64")}` };
    await mkdir(dirname(join(this.folder, path)), { recursive: true });
    await writeFile(join(this.folder, path), data);
    this.#written.set(path, file);
    return file;
  }

  /** An index, tensor by tensor. */
  async addIndex(index: Index, recall: number): Promise<IndexRef> {
    const { metadata, tensors } = readSafetensors(saveIndex(index));
    const refs = [];
    for (const [name, { dtype, shape, bytes }] of tensors)
      refs.push({ name, dtype, shape, file: await this.add(bytes) });
    const { spec, bytesPerVector } = index;
    return { spec, metadata: Object.fromEntries(metadata), tensors: refs, bytesPerVector, recall };
  }
}
