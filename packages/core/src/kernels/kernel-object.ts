/** What the wrappers of all families share: parameter blocks that carry a constructor's arguments, and handles. */
import { DisposedError } from "../errors.ts";
import type { KernelInstance } from "./instance.ts";

const floatBits = new DataView(new ArrayBuffer(4));

/** The 32 bits of an f32, as the parameter blocks carry it. */
export function f32Bits(value: number): number {
  floatBits.setFloat32(0, value);
  return floatBits.getInt32(0);
}

/**
 * The arguments of an export in a block of i32 (floats as their bits, arrays as pointer and length in elements), in the order that the export's
 * Rust documentation gives.
 */
export class Parameters implements Disposable {
  readonly #instance: KernelInstance;
  readonly #words: number[] = [];
  readonly #staged: [pointer: number, bytes: number][] = [];

  constructor(instance: KernelInstance) {
    this.#instance = instance;
  }

  i32(...values: readonly number[]): this {
    this.#words.push(...values);
    return this;
  }

  f32(...values: readonly number[]): this {
    this.#words.push(...values.map(f32Bits));
    return this;
  }

  /** Pointer and length in elements of a staged copy, both 0 where `data` is absent. */
  array(data: (ArrayBufferView & { readonly length: number }) | undefined): this {
    if (data === undefined) return this.i32(0, 0);
    const pointer = this.#instance.upload(data);
    this.#staged.push([pointer, data.byteLength]);
    return this.i32(pointer, data.length);
  }

  /** Stages the block, calls `make` with its address and length in words, and frees everything staged. */
  call(make: (pointer: number, words: number) => number): number {
    try {
      const block = Int32Array.from(this.#words);
      const pointer = this.#instance.upload(block);
      this.#staged.push([pointer, block.byteLength]);
      return this.#instance.check(make(pointer, block.length));
    } finally {
      this[Symbol.dispose]();
    }
  }

  [Symbol.dispose](): void {
    // After a trap the memory is gone with its instance.
    if (!this.#instance.ended) for (const [pointer, bytes] of this.#staged) this.#instance.free(pointer, bytes);
    this.#staged.length = 0;
  }
}

/**
 * Nanoseconds of one thread below which a run is not shared out. Offering chunks and waiting for the last takes 1 us where the others are awake, and
 * waking one that sleeps 30 us (medians of a virtual machine): a run of this length gains in the first case and loses nothing in the second.
 */
const worthSharing = 50_000;

/** Nanoseconds of a multiply-add by the type of x, as one thread of a machine of 2020 does it in the simd128 tier: {@link KernelObject.cost}. */
export const macCost = { bits: 1 / 100, bytes: 1 / 25, floats: 1 / 8 } as const;

/** An export `<family>_run`. */
type Run = (handle: number, x: number, y: number, count: number) => number;

/** An object inside the WASM instance, until disposed. */
export abstract class KernelObject implements Disposable {
  protected readonly instance: KernelInstance;
  /** Nanoseconds that a row or an image takes one thread, roughly; 0 where a run cannot be shared out. */
  readonly cost: number;
  #handle: number;

  protected constructor(instance: KernelInstance, handle: number, cost = 0) {
    this.instance = instance;
    this.cost = cost;
    this.#handle = handle;
  }

  /** Calls `run` for `count` rows or images, or lets the threads of the instance share it out. */
  protected call(run: Run, x: number, y: number, count: number): void {
    const { instance } = this;
    if (instance.threads && this.cost * count >= worthSharing) instance.runShared(this.handle, x, y, count);
    else instance.check(run(this.handle, x, y, count));
  }

  /** @throws DisposedError */
  get handle(): number {
    if (this.#handle === 0) throw new DisposedError(this.constructor.name, "kernel object");
    return this.#handle;
  }

  /** Gives the handle away: another object owns what it names from now on. */
  release(): number {
    const { handle } = this;
    this.#handle = 0;
    return handle;
  }

  /** Idempotent. */
  dispose(): void {
    if (this.#handle === 0) return;
    const handle = this.release();
    if (!this.instance.ended) this.instance.check(this.instance.exports.object_drop(handle));
  }

  [Symbol.dispose](): void {
    this.dispose();
  }
}
