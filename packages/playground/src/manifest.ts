/** What `site.json` says: which files the page is made of, and what was measured of each index when it was built. */
import type { RawTensor } from "lowbit";

/** A file below the page, named by its digest, so that a name never means other bytes. */
export interface FileRef {
  readonly path: string;
  readonly bytes: number;
  /** `sha256-…`, as in HTML. */
  readonly integrity: string;
}

/** One tensor of an index file: rows of SQ8, which several indexes score again with, are one file for all of them. */
export interface TensorRef extends Pick<RawTensor, "dtype" | "shape"> {
  readonly name: string;
  readonly file: FileRef;
}

export interface IndexRef {
  readonly spec: string;
  /** Of the file as `saveIndex` writes it. */
  readonly metadata: Readonly<Record<string, string>>;
  readonly tensors: readonly TensorRef[];
  /** Bytes of a vector. */
  readonly bytesPerVector: number;
  /** Over the sentences held out, when it was built: a page measures the same. */
  readonly recall: number;
}

export interface Manifest {
  /** Digest of all the rest. */
  readonly version: string;
  /** Definitions that are found here, and those of WordNet. */
  readonly count: number;
  readonly all: number;
  readonly encoder: FileRef;
  readonly tokenizer: FileRef;
  readonly tokenizerConfig: FileRef;
  /** A line each, gzipped: part of speech, words with bars between, gloss, with tabs between. */
  readonly definitions: FileRef;
  /** WordNet's licence. */
  readonly license: string;
  /** By `part.tier`. */
  readonly wasm: Readonly<Record<string, FileRef>>;
  readonly indexes: readonly IndexRef[];
  /** Examples of use, which no index holds: f32 [count, 384], and the numbers of the ten definitions nearest to each by exact floats. */
  readonly heldOut: { readonly count: number; readonly vectors: FileRef; readonly nearest: readonly number[] };
}

/** The index that a page begins with, and the one whose answers are the exact ones: every coordinate in a byte. */
export const FIRST = "RaBitQ4";
export const EXACT = "SQ8";

/** Files of an index, each once. */
export const filesOf = ({ tensors }: IndexRef): FileRef[] => [
  ...new Map(tensors.map(({ file }) => [file.path, file])).values(),
];
