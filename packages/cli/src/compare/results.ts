/** Finished schemes in a folder: their figures in `results.json`, and each one's packed file beside it. */

import { createHash } from "node:crypto";
import { mkdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { FileError, fileError } from "../shared/errors.ts";
import { writeOutput } from "../shared/files.ts";
import type { Compared } from "./types.ts";

/** In the folder, so that a reader knows what it is. */
const FORMAT = "lowbit compare 1";

interface Entry {
  /** Of everything that the figures depend on, see {@link keyOf}. */
  readonly key: string;
  readonly figures: Compared;
}

/** Digest of what a comparison is about: the same for every scheme. Floats that JSON would change are not in it. */
export function keyOf(parts: readonly (string | Uint8Array)[]): string {
  const hash = createHash("sha256");
  for (const part of parts) {
    const bytes = typeof part === "string" ? Buffer.from(part) : part;
    hash.update(`${bytes.length}:`).update(bytes);
  }
  return hash.digest("hex");
}

/** Name of a scheme's packed file. */
export const fileName = (scheme: string): string => `${scheme.replace(/[^A-Za-z0-9_.-]+/g, "-")}.safetensors`;

/** JSON has no infinity: an exact result is written as null. */
const written = (_: string, value: unknown) => (value === Number.POSITIVE_INFINITY ? null : value);
const read = (name: string, value: unknown) => (name === "sqnr" && value === null ? Number.POSITIVE_INFINITY : value);

export class Results {
  readonly #finished = new Map<string, Compared>();
  readonly #files = new Map<string, Uint8Array>();
  readonly #folder: string | undefined;
  readonly #key: string;

  /** @param folder absent: results are in memory only */
  private constructor(folder: string | undefined, key: string) {
    this.#folder = folder;
    this.#key = key;
  }

  /** @param resume takes over what the folder holds of the same comparison; otherwise it is written anew */
  static async open(folder: string | undefined, key: string, resume: boolean): Promise<Results> {
    const results = new Results(folder, key);
    if (folder === undefined) return results;
    await mkdir(folder, { recursive: true }).catch((error) => {
      throw fileError(folder, error);
    });
    if (resume) for (const figures of await entriesOf(folder, key)) results.#finished.set(figures.scheme, figures);
    return results;
  }

  get(scheme: string): Compared | undefined {
    return this.#finished.get(scheme);
  }

  /** Keeps a finished scheme; on disk from the return on. */
  async keep(figures: Compared, file?: Uint8Array): Promise<void> {
    this.#finished.set(figures.scheme, figures);
    if (this.#folder === undefined) {
      if (file) this.#files.set(figures.scheme, file);
      return;
    }
    if (file) await writeOutput(join(this.#folder, fileName(figures.scheme)), file);
    const entries = [...this.#finished.values()].map((entry): Entry => ({ key: this.#key, figures: entry }));
    await writeOutput(join(this.#folder, "results.json"), JSON.stringify({ format: FORMAT, entries }, written));
  }

  /** The packed file of a finished scheme; undefined where it is gone or another one. */
  async file(scheme: string): Promise<Uint8Array | undefined> {
    if (this.#folder === undefined) return this.#files.get(scheme);
    const bytes = await readFile(join(this.#folder, fileName(scheme))).catch(() => undefined);
    return bytes?.length === this.get(scheme)?.bytes ? bytes : undefined;
  }
}

async function entriesOf(folder: string, key: string): Promise<Compared[]> {
  const path = join(folder, "results.json");
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return [];
    throw fileError(path, error);
  }
  let content: { readonly format?: unknown; readonly entries?: readonly Entry[] } | null;
  try {
    content = JSON.parse(text, read);
  } catch (error) {
    throw new FileError(path, "is not what lowbit compare wrote; without --resume it is written anew", {
      cause: error,
    });
  }
  if (content?.format !== FORMAT || !Array.isArray(content.entries))
    throw new FileError(path, "is not what lowbit compare wrote; without --resume it is written anew");
  return content.entries.filter((entry) => entry.key === key).map(({ figures }) => figures);
}
