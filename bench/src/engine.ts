/**
 * What runs cases: our tiers, the naive loops, other runtimes. A source is one file in `engines/` and one line in `engines/index.ts`.
 */
import type { Case, Tensors } from "./case.ts";
import type { TypedArray } from "./values.ts";

/**
 * What an engine computed. A wrong one voids its timing: the record says `wrong` and shows no time.
 * - `exact`: the case's own result, in its type and layout; its checksum must be the case's
 * - `sums`: numbers in the order of the outputs, as sums of the task's values (an int8 runtime multiplies its outputs by the step of its
 *   output scale). At seeded positions each must lie within `tolerance` of the naive sum, which is first clamped to `range` where
 *   the engine's own format saturates
 */
export type Answer =
  | { readonly kind: "exact"; readonly data: TypedArray }
  | {
      readonly kind: "sums";
      readonly data: Float32Array | Float64Array | Int32Array;
      readonly tolerance: number;
      readonly range?: readonly [low: number, high: number];
      /** What takes the place of the naive sums where the engine runs another network of the same shape. */
      readonly expected?: (positions: readonly number[]) => ArrayLike<number>;
    };

/** A case made ready: weights packed, inputs in place, models compiled. Nothing of it is timed but `run`. */
export interface Prepared {
  /** Once, from inputs in place to outputs in place. */
  run(): void | Promise<void>;
  /** For an engine in another process, which times itself: milliseconds of `iterations` runs together. Then `run` is not timed. */
  time?(iterations: number): Promise<number>;
  /** What the last run computed. */
  answer(): Answer | Promise<Answer>;
  /** Gives memory back; other cases follow in the same process. */
  dispose(): void;
}

export interface Engine {
  /**
   * Stable: `lowbit:<tier>[:threads]`, `naive`, `litert:int8|fp32`, `litert-compat:int8|fp32`, `onnxruntime-web:fp32|int8|nbits4`,
   * `tfjs-wasm:fp32`, `native:<name>`.
   */
  readonly name: string;
  /** Of the package behind it, for the record. */
  readonly version?: string;
  /** True, or why not, in a few words: "no binary convolution". */
  supports(of: Case): true | string;
  /** @throws anything: the record then names the error in place of a time */
  prepare(of: Case, tensors: Tensors): Promise<Prepared>;
  /** After the last case. */
  dispose?(): void;
}

/** An engine that is not to be had here, and why: "not installed: npm install @litertjs/core", "no relaxed SIMD". */
export interface Absent {
  readonly name: string;
  readonly absent: string;
}

/** Where the suite runs, as far as engines care. */
export interface Host {
  /** `node20`, `node24`, `deno`, `bun`, `chromium`, `firefox`, `webkit`, or `page` in a browser that opened `--serve`. */
  readonly platform: string;
  /** Whether this is a web page; else a runtime with files. */
  readonly isPage: boolean;
  /** Thread counts to offer beside one. */
  readonly threads: readonly number[];
  /**
   * Where a file of an installed package lies: `file("onnxruntime-web/dist/ort.wasm.min.mjs")`, whatever the package's exports say. A `file:` URL in a runtime,
   * an `http:` one on a page; both can be imported, and both can be read by {@link read}.
   * @throws Error "not installed: npm install <package>"
   */
  file(path: string): Promise<URL>;
  /** The bytes of such a file. */
  read(path: string): Promise<Uint8Array<ArrayBuffer>>;
}

export interface EngineSource {
  /** Before the colon of its engines' names; `--peers` chooses by it, and it names the source where `open` throws. */
  readonly name: string;
  /** Ours and the naive loops always run; a peer only when `--peers` lets it. */
  readonly kind: "ours" | "peer";
  /** Loads the runtime once. Throwing makes the whole source absent, with the error's message as reason. */
  open(host: Host): Promise<readonly (Engine | Absent)[]>;
}

/** A line for each reason, with all the engines that share it. */
export function absences(absent: readonly Absent[]): string[] {
  const names = new Map<string, string[]>();
  for (const { name, absent: reason } of absent) names.set(reason, [...(names.get(reason) ?? []), name]);
  return Array.from(names, ([reason, names]) => `no ${names.join(", ")}: ${reason}`);
}
