/** What the index asks of a way of storing vectors. */

import type { KernelInstance, Selection, TopK, VectorRows } from "lowbit/kernels";
import type { Block } from "../block.ts";

/** Rows of one inverted list, or of the whole index. */
export interface CodeList {
  /** Named arrays in memory: `codes`, and `factors` or `scales` where the coder has them. */
  readonly blocks: Readonly<Record<string, Block>>;
  /** Vectors. */
  n: number;
}

/** A query, its floats in WASM memory. */
export interface Query {
  /** Pointer to f32 [D]. */
  readonly pointer: number;
  /** The same. */
  readonly values: Float32Array;
}

/** A query made ready for all lists. */
export interface Scanner extends Disposable {
  /** @param centroid of the list, where there are lists and the coder stores residuals */
  scan(list: CodeList, selection: Selection, top: TopK, centroid: Float32Array | undefined): void;
}

export interface Coder extends Disposable {
  /** Whether what is stored is the vector less its list's centroid. */
  readonly residual: boolean;
  /** Bytes of a vector. */
  readonly bytesPerVector: number;
  /** Whether scores are int32 counts. */
  readonly counts: boolean;
  /** Names of a list's blocks. */
  readonly blocks: readonly string[];
  /** Encodes rows behind those of the list. */
  append(list: CodeList, rows: VectorRows): void;
  scanner(query: Query): Scanner;
  /** What vector `position` of the list stands for, f32 [D]. */
  decode(list: CodeList, position: number): Float32Array;
}

/** What all coders are made with. */
export interface CoderSetting {
  readonly instance: KernelInstance;
  readonly dimension: number;
  readonly metric: "l2" | "ip";
}
