/** What travels between a page and its worker: structured clones only. */
import type { RemoteSource, Reply } from "lowbit/worker";
import type { Metric } from "../metric.ts";
import type { Vectors } from "../prepare.ts";
import type { BuildOptions, Index } from "../search-index.ts";

/** Methods that are called there as they are here. */
export const METHODS = [
  "search",
  "searchAll",
  "rangeSearch",
  "remove",
  "compact",
  "has",
  "reconstruct",
  "payload",
] as const;
export type Method = (typeof METHODS)[number];

export type Progress = (stage: string, done: number) => void;

export interface Description {
  readonly spec: string;
  readonly metric: Metric;
  readonly dimension: number;
  readonly about: Readonly<Record<string, string>>;
  readonly size: number;
}

/** A result, and how many vectors the index has since. */
export interface Counted<T> {
  readonly value: T;
  readonly size: number;
}

/** What the worker does; ids of indexes and of calls are the caller's. */
export interface IndexServer {
  build(
    id: number,
    call: number,
    vectors: Vectors,
    spec: string,
    options: Pick<BuildOptions, "metric" | "seed" | "ids" | "payloads" | "about" | "efConstruction">,
    onProgress?: Progress,
  ): Promise<Reply<Description>>;
  load(id: number, call: number, source: RemoteSource): Promise<Reply<Description>>;
  add(
    id: number,
    call: number,
    vectors: Vectors,
    options: Pick<BuildOptions, "ids" | "payloads">,
    onProgress?: Progress,
  ): Promise<Reply<Counted<void>>>;
  abort(call: number): void;
  call<M extends Method>(
    id: number,
    method: M,
    args: Parameters<Index[M]>,
  ): Promise<Reply<Counted<ReturnType<Index[M]>>>>;
  save(id: number): Promise<Reply<Uint8Array<ArrayBuffer>>>;
  dispose(id: number): void;
}
