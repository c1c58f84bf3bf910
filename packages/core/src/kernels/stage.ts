/** Memory of a kernel instance that lives for one call. */
import type { KernelInstance } from "./instance.ts";

export class Stage {
  readonly #instance: KernelInstance;
  readonly #blocks: [pointer: number, bytes: number][] = [];

  constructor(instance: KernelInstance) {
    this.#instance = instance;
  }

  upload(data: ArrayBufferView): number {
    const pointer = this.#instance.upload(data);
    this.#blocks.push([pointer, data.byteLength]);
    return pointer;
  }

  reserve(bytes: number): number {
    const pointer = this.#instance.alloc(bytes);
    this.#blocks.push([pointer, bytes]);
    return pointer;
  }

  release(): void {
    // After a trap the memory is gone with its instance.
    if (!this.#instance.ended) for (const [pointer, bytes] of this.#blocks) this.#instance.free(pointer, bytes);
    this.#blocks.length = 0;
  }
}

/** Runs `use` with memory that is given back afterwards, whatever happens. */
export function staged<T>(instance: KernelInstance, use: (stage: Stage) => T): T {
  const stage = new Stage(instance);
  try {
    return use(stage);
  } finally {
    stage.release();
  }
}

/** Runs `use` with memory that is given back if it fails. */
export function held<T>(instance: KernelInstance, use: (stage: Stage) => T): T {
  const stage = new Stage(instance);
  try {
    return use(stage);
  } catch (error) {
    stage.release();
    throw error;
  }
}

export const copyF32 = (instance: KernelInstance, pointer: number, length: number): Float32Array =>
  instance.f32(pointer, length).slice();
export const copyU8 = (instance: KernelInstance, pointer: number, length: number): Uint8Array =>
  instance.u8(pointer, length).slice();
export const copyU32 = (instance: KernelInstance, pointer: number, length: number): Uint32Array =>
  instance.u32(pointer, length).slice();
export const copyF64 = (instance: KernelInstance, pointer: number, length: number): Float64Array =>
  new Float64Array(instance.u8(pointer, 8 * length).slice().buffer);
