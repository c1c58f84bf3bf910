import { disposeSymbol } from "../dispose.ts";
import { DisposedError, InstanceDeadError, KernelError, OutOfMemoryError } from "../errors.ts";
import type { WasmExports } from "../generated/wasm-exports.ts";
import { kernelError } from "./error-block.ts";
import type { Tier } from "./tiers.ts";

/** The raw exports: pointers and sizes are numbers, a negative result is an error for {@link KernelInstance.check}. */
export type Exports = WasmExports;

/** Threads over one memory; see threads.ts. */
export interface Threads {
  /** The calling one among them. */
  readonly count: number;
  /**
   * As an export `<family>_run(handle, x, y, count)`, all threads together.
   * @returns its status
   * @throws what a thread threw
   */
  run(exports: Exports, handle: number, x: number, y: number, count: number): number;
  /** Columns of the slices that a product of `n` columns is best cut into for runs of one row, which takes one thread `cost` ns: in order. */
  slices(n: number, cost: number): readonly number[];
  /** Ends the others. */
  dispose(): void;
}
/**
 * How binary products count differing bits: by `i8x16.popcnt`, which is one instruction on Arm, or by swizzled tables, which win on x64. The sums are the same.
 */
export type BinaryCounting = "popcount" | "lookup";

const maxParameters = 8;

type Export = (...parameters: (number | undefined)[]) => number;

/** Behind the exports: reading one that the module does not have is a named error and not a call of `undefined`. */
const absent = new Proxy(Object.freeze({}), {
  get(_, name) {
    // What inspectors ask any object for is no kernel.
    if (typeof name === "symbol" || !/_|^cast$/.test(name)) return undefined;
    const got = "one without it: a `core` one, or of another version";
    throw new KernelError("KernelInstance", `kernel ${name}`, "lowbit.<tier>.wasm, or the module that has it", got);
  },
});

/**
 * One WASM instance: its memory, its kernels and the checks around them. It is all that a kernel's wrapper sees.
 *
 * Views are made at the moment of use and never kept across a call that may allocate: growing the memory detaches them.
 * A trap ends the instance: every later call throws {@link InstanceDeadError}.
 */
export class KernelInstance implements Disposable {
  readonly tier: Tier;
  readonly exports: Exports;
  /** Present where there are more than the calling one. */
  readonly threads: Threads | undefined;
  /** What binary products that are made from now on count by; absent: what a probe finds when the first large one is made. */
  binary: BinaryCounting | undefined;
  /** Bytes by pointer: what `alloc` gave out and `free` has not taken back. */
  readonly #live = new Map<number, number>();
  /** The unguarded exports, until the end. */
  readonly #raw: Export[] = [];
  #memory: WebAssembly.Memory | undefined;
  #bytesInUse = 0;
  #ended: DisposedError | InstanceDeadError | undefined;

  private constructor({ exports }: WebAssembly.Instance, tier: Tier, threads?: Threads) {
    this.tier = tier;
    this.threads = threads;
    this.#memory = exports.memory as WebAssembly.Memory;
    const memory = (): WebAssembly.Memory => this.#liveMemory();
    const guarded: Record<string, unknown> = {
      get memory() {
        return memory();
      },
    };
    for (const [name, value] of Object.entries(exports))
      if (typeof value === "function") guarded[name] = this.#guard(name, value as Export);
    this.exports = Object.setPrototypeOf(guarded, absent) as Exports;
  }

  /**
   * A new instance with a memory of its own. Asynchronous, because older engines refuse to instantiate on a page's main thread otherwise.
   * @throws KernelError where `module` imports something else than functions
   */
  static async create(module: WebAssembly.Module, tier: Tier): Promise<KernelInstance> {
    return new KernelInstance(await WebAssembly.instantiate(module, noImports(module)), tier);
  }

  /**
   * The exports as those of a module that has more of them than ours: `E` are its functions of numbers. As with {@link exports}, reading one that
   * is not there throws KernelError.
   */
  exportsAs<E extends object>(): Exports & E {
    return this.exports as Exports & E;
  }

  /** An instance whose memory it shares with `threads`, which it takes over. */
  static shared(
    { instance, threads }: { instance: WebAssembly.Instance; threads: Threads },
    tier: Tier,
  ): KernelInstance {
    return new KernelInstance(instance, tier, threads);
  }

  /** Bytes that `alloc` has given out. */
  get bytesInUse(): number {
    return this.#bytesInUse;
  }

  /** Bytes of the whole WASM memory; it never shrinks while the instance lives. */
  get memoryBytes(): number {
    return this.exports.memory.buffer.byteLength;
  }

  /**
   * @param bytes 0 or more
   * @returns a 64-byte aligned pointer, to be given back by {@link free} with the same size
   * @throws OutOfMemoryError
   */
  alloc(bytes: number): number {
    // The export takes an unsigned 32-bit size: anything larger would wrap to a small one.
    if (!(bytes >= 0 && bytes < 2 ** 32 - 64)) throw new OutOfMemoryError("alloc", bytes, this.#bytesInUse);
    const size = Math.max(1, bytes);
    const pointer = this.exports.memory_alloc(size) >>> 0;
    if (pointer === 0) throw new OutOfMemoryError("alloc", bytes, this.#bytesInUse);
    this.#live.set(pointer, size);
    this.#bytesInUse += size;
    return pointer;
  }

  /** @throws KernelError where `pointer` is not one that {@link alloc} gave out for `bytes`, or was freed before */
  free(pointer: number, bytes: number): void {
    const size = this.#live.get(pointer);
    if (size !== Math.max(1, bytes))
      throw new KernelError("free", `bytes at ${pointer}`, size ?? "a live pointer", bytes);
    this.#live.delete(pointer);
    this.#bytesInUse -= size;
    this.check(this.exports.memory_free(pointer, size));
  }

  u8(pointer: number, length: number): Uint8Array<ArrayBuffer> {
    return new Uint8Array(this.#buffer(), pointer, length);
  }

  i8(pointer: number, length: number): Int8Array<ArrayBuffer> {
    return new Int8Array(this.#buffer(), pointer, length);
  }

  u32(pointer: number, length: number): Uint32Array<ArrayBuffer> {
    return new Uint32Array(this.#buffer(), pointer, length);
  }

  i32(pointer: number, length: number): Int32Array<ArrayBuffer> {
    return new Int32Array(this.#buffer(), pointer, length);
  }

  f32(pointer: number, length: number): Float32Array<ArrayBuffer> {
    return new Float32Array(this.#buffer(), pointer, length);
  }

  /** Copies `data` into memory of its own; the caller frees `data.byteLength` bytes. */
  upload(data: ArrayBufferView): number {
    const pointer = this.alloc(data.byteLength);
    this.u8(pointer, data.byteLength).set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
    return pointer;
  }

  /** `status` where it is 0 or more, else the named error that the kernel left behind. */
  check(status: number): number {
    if (status >= 0) return status;
    throw kernelError(status, this.i32(this.exports.error_block(), 5));
  }

  /**
   * The run of a product or convolution by all threads; as its wrapper's `run`, which calls this where it is worth it. Only where {@link threads} is.
   * @throws what the run's own export is refused for; InstanceDeadError where a thread trapped
   */
  runShared(handle: number, x: number, y: number, count: number): void {
    let status: number;
    try {
      status = this.threads!.run(this.exports, handle, x, y, count);
    } catch (cause) {
      throw this.#ended ?? this.#end(new InstanceDeadError("parallel_run", cause));
    }
    this.check(status);
  }

  /** Whether a trap or `dispose` ended this instance. */
  get ended(): boolean {
    return this.#ended !== undefined;
  }

  /** Lets the memory go; later calls throw DisposedError. Idempotent. */
  dispose(): void {
    if (this.#ended) return;
    this.#end(new DisposedError("KernelInstance", "the WASM instance"));
  }

  [disposeSymbol](): void {
    this.dispose();
  }

  #liveMemory(): WebAssembly.Memory {
    if (!this.#memory) throw this.#ended;
    return this.#memory;
  }

  #buffer(): ArrayBuffer {
    return this.#liveMemory().buffer as ArrayBuffer;
  }

  #end(reason: DisposedError | InstanceDeadError): Error {
    this.#ended = reason;
    // Nothing here holds the instance any longer, so its memory can be collected even where someone keeps this object.
    this.#raw.length = 0;
    this.threads?.dispose();
    this.#memory = undefined;
    this.#live.clear();
    this.#bytesInUse = 0;
    return reason;
  }

  /**
   * Every call goes through here, so that no caller can overlook a trap. The parameters are written out because a rest parameter
   * would make an array for every call; a WASM function ignores those beyond its own.
   */
  #guard(name: string, call: Export): Export {
    if (call.length > maxParameters)
      throw new KernelError("KernelInstance", `parameters of ${name} (at most)`, maxParameters, call.length);
    const raw = this.#raw;
    const index = raw.push(call) - 1;
    return (a, b, c, d, e, f, g, h) => {
      const inner = raw[index];
      if (!inner) throw this.#ended;
      try {
        return inner(a, b, c, d, e, f, g, h);
      } catch (cause) {
        throw this.#end(new InstanceDeadError(name, cause));
      }
    };
  }
}

/**
 * wasm-bindgen leaves an import or two for its own glue, which we do not ship; plain-number exports never need them.
 * @throws KernelError where the module wants something else than functions
 */
function noImports(module: WebAssembly.Module): WebAssembly.Imports {
  const imports: Record<string, Record<string, WebAssembly.ImportValue>> = {};
  for (const { module: from, name, kind } of WebAssembly.Module.imports(module)) {
    if (kind !== "function") throw new KernelError("KernelInstance", `import ${from}.${name}`, "function", kind);
    imports[from] = { ...imports[from], [name]: () => undefined };
  }
  return imports;
}
