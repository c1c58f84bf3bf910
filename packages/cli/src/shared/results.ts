/** What is finished of a long command, in a folder: figures in `results.json`, and the packed file of each beside it. */

import { createHash } from "node:crypto";
import { mkdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { FileError, fileError } from "./errors.ts";
import { writeOutput } from "./files.ts";

/** Figures of one finished part. */
export interface Finished {
  /** Of its packed file. */
  readonly bytes: number;
}

interface Entry<F> {
  /** Of everything that the figures depend on, see {@link keyOf}. */
  readonly key: string;
  readonly figures: F;
}

export interface ResultsOptions<F> {
  /** Which command the folder is of; it writes this, so that a reader knows what it is. */
  readonly command: string;
  readonly nameOf: (figures: F) => string;
  /** Absent: results are in memory only. */
  readonly folder: string | undefined;
  readonly key: string;
  /** Takes over what the folder holds under the same key; otherwise it is written anew. */
  readonly resume: boolean;
}

/** Digest of what all parts depend on. Floats that JSON would change are not in it. */
export function keyOf(parts: readonly (string | Uint8Array)[]): string {
  const hash = createHash("sha256");
  for (const part of parts) {
    const bytes = typeof part === "string" ? Buffer.from(part) : part;
    hash.update(`${bytes.length}:`).update(bytes);
  }
  return hash.digest("hex");
}

/** Name of a part's packed file. */
export const fileName = (name: string): string => `${name.replace(/[^A-Za-z0-9_.-]+/g, "-")}.safetensors`;

/** JSON has no infinity: an exact result is written as null. */
const written = (_: string, value: unknown) => (value === Number.POSITIVE_INFINITY ? null : value);
const read = (name: string, value: unknown) => (name === "sqnr" && value === null ? Number.POSITIVE_INFINITY : value);

export class Results<F extends Finished> {
  readonly #finished = new Map<string, F>();
  readonly #files = new Map<string, Uint8Array>();
  readonly #options: ResultsOptions<F>;
  /** One write after another: each is of the whole list. */
  #written: Promise<void> = Promise.resolve();

  private constructor(options: ResultsOptions<F>) {
    this.#options = options;
  }

  /** @throws FileError where the folder cannot be made, or holds something else */
  static async open<F extends Finished>(options: ResultsOptions<F>): Promise<Results<F>> {
    const results = new Results(options);
    const { folder, resume, nameOf } = options;
    if (folder === undefined) return results;
    await mkdir(folder, { recursive: true }).catch((error) => {
      throw fileError(folder, error);
    });
    if (resume) for (const figures of await entriesOf(folder, options)) results.#finished.set(nameOf(figures), figures);
    return results;
  }

  /** How many are finished. */
  get size(): number {
    return this.#finished.size;
  }

  get(name: string): F | undefined {
    return this.#finished.get(name);
  }

  /** Keeps a finished part; on disk when the promise is fulfilled. */
  async keep(figures: F, file?: Uint8Array): Promise<void> {
    const { folder, nameOf } = this.#options;
    const name = nameOf(figures);
    if (folder === undefined) {
      if (file) this.#files.set(name, file);
      this.#finished.set(name, figures);
      return;
    }
    if (file) await writeOutput(join(folder, fileName(name)), file);
    this.#finished.set(name, figures);
    this.#written = this.#written.then(() => this.#write(folder));
    await this.#written;
  }

  #write(folder: string): Promise<void> {
    const { key, command } = this.#options;
    const entries = [...this.#finished.values()].map((entry): Entry<F> => ({ key, figures: entry }));
    return writeOutput(join(folder, "results.json"), JSON.stringify({ format: formatOf(command), entries }, written));
  }

  /** The packed file of a finished part; undefined where it is gone or another one. */
  async file(name: string): Promise<Uint8Array | undefined> {
    const { folder } = this.#options;
    if (folder === undefined) return this.#files.get(name);
    const bytes = await readFile(join(folder, fileName(name))).catch(() => undefined);
    return bytes?.length === this.get(name)?.bytes ? bytes : undefined;
  }
}

const formatOf = (command: string): string => `lowbit ${command} 1`;

async function entriesOf<F>(folder: string, { command, key }: ResultsOptions<F>): Promise<F[]> {
  const path = join(folder, "results.json");
  const foreign = `is not what lowbit ${command} wrote; without --resume it is written anew`;
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return [];
    throw fileError(path, error);
  }
  let content: { readonly format?: unknown; readonly entries?: readonly Entry<F>[] } | null;
  try {
    content = JSON.parse(text, read);
  } catch (error) {
    throw new FileError(path, foreign, { cause: error });
  }
  if (content?.format !== formatOf(command) || !Array.isArray(content.entries)) throw new FileError(path, foreign);
  return content.entries.filter((entry) => entry.key === key).map(({ figures }) => figures);
}
