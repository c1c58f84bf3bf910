/** What the page and its worker say to each other. */
import type { Shown } from "../definitions.ts";
import type { IndexRef } from "../manifest.ts";

export type Request =
  | { readonly kind: "ask"; readonly id: number; readonly text: string }
  | { readonly kind: "use"; readonly spec: string };

export interface Found extends Shown {
  readonly number: number;
  /** Cosine. */
  readonly score: number;
}

export interface Answer {
  readonly kind: "answer";
  readonly id: number;
  readonly text: string;
  readonly spec: string;
  readonly found: readonly Found[];
  readonly encodeMs: number;
  readonly searchMs: number;
  /** Part of the ten nearest by exact int8 that are among the first ten; absent until those are here. */
  readonly recall?: number;
}

/** What is known of an index before it is loaded. */
export type Listed = Pick<IndexRef, "spec" | "bytesPerVector" | "recall">;

/** What an index was measured at, here. */
export interface Figures {
  readonly kind: "figures";
  readonly spec: string;
  readonly bytesPerVector: number;
  /** Bytes of codes, and of the index's whole WASM memory. */
  readonly codes: number;
  readonly memory: number;
  /** Over the sentences held out: the mean of a query, and the part of the ten nearest by exact floats; absent until they are asked. */
  readonly msPerQuery?: number;
  readonly recall?: number;
}

export type Report =
  | {
      readonly kind: "site";
      readonly version: string;
      readonly count: number;
      readonly all: number;
      readonly license: string;
      readonly heldOut: number;
      readonly first: string;
      readonly indexes: readonly Listed[];
    }
  | { readonly kind: "loading"; readonly what: string; readonly loaded: number; readonly total: number }
  /** Questions are answered from here on; or another index is there. */
  | { readonly kind: "ready"; readonly spec: string; readonly tier: string }
  | Answer
  | Figures
  /** Bytes of all files that are kept in this browser; all of them: it works without a network. */
  | { readonly kind: "kept"; readonly loaded: number; readonly total: number }
  | { readonly kind: "failed"; readonly what: string; readonly message: string };
