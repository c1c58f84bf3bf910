/** What the index asks of a way of storing vectors. */

import type { HnswCodes, KernelInstance, Selection, TopK, VectorRows } from "lowbit/kernels";
import type { Block } from "../block.ts";

/** Rows of one inverted list, or of the whole index. */
export interface CodeList {
  /** Named arrays in memory: `codes`, and `factors` or `scales` where the coder has them. */
  readonly blocks: Readonly<Record<string, Block>>;
  /** What the coder derives from codes and its list's centroid, where it does: in memory alone. */
  readonly derived?: Block;
  /** Vectors. */
  n: number;
}

/** A list of an inverted file that is looked through. */
export interface ListQuery {
  readonly list: CodeList;
  /** Pointer to the numbers of its vectors, u32 [n]. */
  readonly ids: number;
  readonly centroid: Query;
}

/** Vectors from .. to of a list. */
export type Run = readonly [from: number, to: number];

/** Some queries that share the scan of a block of codes, their floats in WASM memory. */
export interface Query {
  /** Pointer to f32 [count, D]. */
  readonly pointer: number;
  readonly count: number;
  /** The same. */
  readonly values: Float32Array;
}

/** Queries made ready for all lists. */
export interface Scanner extends Disposable {
  /** @param top of as many queries; of one where there is a centroid @param centroid of the list, as a query, where there are lists and the coder stores residuals */
  scan(list: CodeList, selection: Selection, top: TopK, centroid: Query | undefined): void;
  /** The same of some lists for one query, of coders that do so in less time than one by one. @param selection but for ids */
  scanLists?(lists: readonly ListQuery[], selection: Selection, top: TopK): void;
}

export interface Coder extends Disposable {
  /** Whether what is stored is the vector less its list's centroid. */
  readonly residual: boolean;
  /** Whether scores are int32 counts. */
  readonly counts: boolean;
  /** A list's blocks by name, and their bytes for n vectors. */
  readonly blocks: Readonly<Record<string, (n: number) => number>>;
  /** Whether it keeps something in {@link CodeList.derived}, 4 bytes a vector. */
  readonly derives?: boolean;
  /** Encodes rows behind those of the list. @param centroid of the list, where what is stored is residual */
  append(list: CodeList, rows: VectorRows, centroid: Query | undefined): void;
  /** Gives back what was only wanted for encoding, until more is encoded. */
  settle?(): void;
  /** Takes vectors of another list of the same codes, also of another instance, behind those of `to`. */
  copy(to: CodeList, from: CodeList, runs: readonly Run[]): void;
  /** Of one query where what is stored is residual. */
  scanner(query: Query): Scanner;
  /** Codes as a graph's kernels read them, of coders that a graph may stand over. */
  nodes?(list: CodeList): HnswCodes;
  /** What vector `position` of the list stands for, f32 [D]. */
  decode(list: CodeList, position: number): Float32Array;
}

/** What all coders are made with. */
export interface CoderSetting {
  readonly instance: KernelInstance;
  readonly dimension: number;
  readonly metric: "l2" | "ip";
}

/** Bytes of a vector, where there are so many that started blocks of them do not count. */
export const bytesPerVector = ({ blocks, derives }: Coder): number =>
  Object.values(blocks).reduce((sum, bytes) => sum + bytes(1024) / 1024, derives ? 4 : 0);

export const lengthOf = (runs: readonly Run[]): number => runs.reduce((sum, [from, to]) => sum + to - from, 0);

/** {@link Coder.copy} where blocks hold their vectors' bytes one behind the other. */
export function copyRows({ blocks }: Coder, to: CodeList, from: CodeList, runs: readonly Run[]): void {
  for (const [name, bytes] of Object.entries(blocks)) {
    const block = to.blocks[name]!;
    let at = block.bytes;
    block.extend(bytes(lengthOf(runs)));
    // Views behind the call that may grow the memory.
    const [target, source] = [block.view(), from.blocks[name]!.view()];
    for (const [first, end] of runs) {
      target.set(source.subarray(bytes(first), bytes(end)), at);
      at += bytes(end - first);
    }
  }
  to.n += lengthOf(runs);
}
