/** Vectors of WordNet's definitions and of sentences to ask with, from a cache that any size of page shares. */
import { createHash } from "node:crypto";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { encodeAll } from "./encode.ts";
import { packedEncoder, startThreads } from "./encoder.ts";
import { progressOf } from "./progress.ts";
import type { Definition } from "./wordnet.ts";

/** Coordinates of MiniLM. */
export const SIZE = 384;

export interface VectorsOptions {
  /** All of WordNet's, in order: the first `count` are encoded, so that more of them go on where fewer ended. */
  readonly definitions: readonly Definition[];
  readonly count: number;
  /** Of the encoder. */
  readonly folder: string;
  readonly cache: string;
  readonly threads: number;
  readonly signal: AbortSignal;
}

/** Sentences that recall is measured with. */
const QUERIES = 200;

/**
 * Examples of use: written by people, in no index, of meanings that are spread over those that are. Words in brackets and two words say too little.
 */
export function heldOut(definitions: readonly Definition[], count = QUERIES): string[] {
  const sentences = definitions.flatMap(({ examples }) =>
    examples.filter((text) => text.split(" ").length >= 4).slice(0, 1),
  );
  const step = Math.max(1, sentences.length / count);
  return Array.from({ length: Math.min(count, sentences.length) }, (_, i) => sentences[Math.floor(i * step)]!);
}

const digest = (...parts: (string | Uint8Array)[]): string =>
  parts.reduce((hash, part) => hash.update(part), createHash("sha256")).digest("hex");

/** @throws the signal's reason; what was encoded by then is kept */
export async function vectorsOf(
  options: VectorsOptions,
): Promise<{ readonly base: Float32Array; readonly queries: Float32Array; readonly sentences: readonly string[] }> {
  const { definitions, count, folder, cache, threads, signal } = options;
  const encoder = digest(await packedEncoder(folder));
  await mkdir(cache, { recursive: true });
  const pool = startThreads(folder, threads);
  const stop = () => void pool.end();
  signal.addEventListener("abort", stop);
  const encode = (title: string, all: readonly string[], wanted: number) =>
    encodeAll({
      file: join(cache, `${title}-${digest(encoder, JSON.stringify(all)).slice(0, 16)}.f32`),
      texts: all.slice(0, wanted),
      size: SIZE,
      encoders: pool.encoders,
      signal,
      onProgress: progressOf(`encoding ${title}`),
    });
  try {
    const glosses = definitions.map(({ gloss }) => gloss);
    const base = await encode("definitions", glosses, count);
    const sentences = heldOut(definitions.slice(0, count));
    return { base, queries: await encode("sentences", sentences, sentences.length), sentences };
  } catch (error) {
    // Threads that were ended say so first.
    signal.throwIfAborted();
    throw error;
  } finally {
    signal.removeEventListener("abort", stop);
    await pool.end();
  }
}
