/** A case is data: one task of a family at one shape, its seed, how much work it is, and the checksum of its answer. */
import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex } from "@noble/hashes/utils.js";
import type { KernelInstance } from "lowbit/kernels";
import type { Graph, Model } from "lowbit/slim";
import type { Prepared } from "./engine.ts";
import type { Task } from "./task.ts";
import type { TypedArray } from "./values.ts";

/** What the amount of work counts; speed is billions of it per second, `gmacs` in a record. */
export type Unit = "MAC" | "code" | "bit";

export interface Case {
  /** `<family>/<shape>`: stable, records and checks name it. */
  readonly id: string;
  /** Also says what shape cannot: `ternary_gemv_cold`. */
  readonly family: string;
  /** `MxNxK` of a product, `HxWxC-kRxS-O` of a convolution. */
  readonly shape: string;
  readonly task: Task;
  /** Of the tensors, which are drawn by SplitMix64. */
  readonly seed: number;
  /** Work of one run: multiply-adds; looked-up codes of a PQ scan; compared bits of a Hamming scan. */
  readonly work: { readonly amount: number; readonly unit: Unit };
  /** Bytes that one run must fetch from memory at least: weights of a cold product, the codes of a scan. */
  readonly coldBytes?: number;
  /** Of the exact answer, {@link checksum}; undefined only until `pnpm bench:checksums` has written it. */
  readonly checksum: string | undefined;
  /** Part of `--quick`. */
  readonly quick: boolean;
}

/** By name, as the task documents them. */
export type Tensors = Readonly<Record<string, TypedArray>>;

/** The first 64 bits of the SHA-256 of the elements' little-endian bytes, as 16 hexadecimal digits. */
export function checksum({ buffer, byteOffset, byteLength }: TypedArray): string {
  return bytesToHex(sha256(new Uint8Array(buffer, byteOffset, byteLength)).subarray(0, 8));
}

/** Our kernels, as a family meets them. */
export interface Kernels {
  readonly instance: KernelInstance;
  /** 1, or how many share the work. */
  readonly threads: number;
  /** A network on kernels of the same tier, and as many threads, in an instance of its own. */
  createModel(graph: Graph): Promise<Model>;
  /** An instance of the module of scans, made once. */
  search(): Promise<KernelInstance>;
}

/**
 * Everything that belongs to the cases of one kind. One small file in `cases/`, one line in `cases/index.ts`.
 * What another runtime does with them is that engine's affair.
 */
export interface Family {
  readonly name: string;
  /** For people: "Binary convolution, threshold to bits". */
  readonly title: string;
  readonly cases: readonly Case[];
  /** The seeded tensors of a case; the same for every engine. */
  tensors(of: Case): Tensors;
  /** How many outputs, that is sums, a case has. */
  outputs(of: Case): number;
  /**
   * Plain arithmetic on the values: the sums (before the task's result is made of them) at `positions` of the output, counted in elements,
   * or at all of them. What float answers are compared with, and what makes the exact one.
   */
  sums(of: Case, tensors: Tensors, positions?: readonly number[]): Float64Array;
  /** The exact answer from all sums: its bytes are what the checksum is of. */
  result(of: Case, tensors: Tensors, sums: Float64Array): TypedArray;
  /** The case on our kernels, with an exact answer. */
  kernel(on: Kernels, of: Case, tensors: Tensors): Prepared | Promise<Prepared>;
}
