/** What lowering makes of a node: the kernel with its weights, ready to be bound to concrete shapes. */
import type { KernelInstance } from "../../kernels/instance.ts";

/** Shapes and addresses of one batch size. Pointers hold as long as the binding does. */
export interface Binding {
  readonly instance: KernelInstance;
  /** Concrete shape of a value or constant. */
  shape(name: string): readonly number[];
  /** Address of a value or constant. */
  pointer(name: string): number;
  /** The numbers in an input that decides sizes, undefined where it is absent. */
  elements(name: string | undefined): readonly number[] | undefined;
  /** The operation's own memory, {@link Operation.scratchBytes} long. */
  readonly scratch: number;
  /** Where the producer of a trit value leaves the number of its zeros. */
  zeros(name: string): ZeroCount;
  /** Keeps a kernel object that depends on shapes as long as the binding. */
  own<T extends Disposable>(object: T): T;
}

/** Zeros among the elements of a trit value, by its last run; where it is 0, the value is plain bits. */
export interface ZeroCount {
  count: number;
}

/** One kernel call. Running it allocates nothing. */
export type Step = () => void;

/** A node (or a few fused ones) with its kernel. */
export interface Operation extends Disposable {
  /** Name of the node; of fused ones, joined by " + ". */
  readonly node: string;
  readonly op: string;
  /** The kernel family, e.g. `xnor_gemm`. */
  readonly kernel: string;
  /** Values read. */
  readonly inputs: readonly string[];
  /** Plain constants read like values; weights are not among them. */
  readonly constants?: readonly string[];
  readonly output: string;
  /** Outputs behind the first one. */
  readonly others?: readonly string[];
  /**
   * `alias`: the output is the first input's memory, and there is nothing to run. `inPlace`: the kernel may write over
   * its first input.
   */
  readonly storage?: "alias" | "inPlace";
  /** Multiply-accumulates for these shapes. */
  macs?(shape: (name: string) => readonly number[]): number;
  /** Bytes of memory that lives during the step only. */
  scratchBytes?(shape: (name: string) => readonly number[]): number;
  bind(binding: Binding): Step;
}
