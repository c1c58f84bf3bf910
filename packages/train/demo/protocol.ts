import type { Digits, EpochEntry } from "@lowbit/train/fit";

/** What the page asks of its worker. */
export interface Job {
  readonly training: Digits;
  readonly test: Digits;
  readonly epochs: number;
  readonly seed: number;
}

/** What the worker tells while it trains, and at the end. */
export type Report =
  | { readonly kind: "step"; readonly done: number; readonly steps: number; readonly loss: number }
  | { readonly kind: "epoch"; readonly entry: EpochEntry }
  | { readonly kind: "error"; readonly message: string }
  | ({ readonly kind: "result" } & Result);

export interface Result {
  /** Of the packed file. */
  readonly bytes: number;
  /** Share of the test digits that the packed file reads rightly, 0..1. */
  readonly top1: number;
  /** Test digits on which the packed file and the training graph agree. */
  readonly equal: number;
  readonly answers: number;
  readonly seconds: number;
}
