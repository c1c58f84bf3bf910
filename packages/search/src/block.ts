/** A growing array in the memory of the WASM instance. */
import type { KernelInstance } from "lowbit/kernels";

/** A block that is full grows by this part, so that memory stays within 1.2 times what is held. */
const GROWTH = 1 / 8;

export class Block {
  readonly instance: KernelInstance;
  #pointer = 0;
  #capacity = 0;
  #bytes = 0;

  constructor(instance: KernelInstance) {
    this.instance = instance;
  }

  get pointer(): number {
    return this.#pointer;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** Bytes that are taken of memory. */
  get capacity(): number {
    return this.#capacity;
  }

  /** Makes room for `more` bytes behind what is held, and returns where they begin. New bytes are 0. */
  extend(more: number): number {
    const wanted = this.#bytes + more;
    if (wanted > this.#capacity) {
      const capacity = this.#capacity === 0 ? wanted : Math.max(wanted, Math.ceil(this.#bytes * (1 + GROWTH)));
      const pointer = this.instance.alloc(capacity);
      const memory = this.instance.u8(pointer, capacity);
      memory.set(this.instance.u8(this.#pointer, this.#bytes));
      memory.fill(0, this.#bytes);
      this.#free();
      [this.#pointer, this.#capacity] = [pointer, capacity];
    }
    const at = this.#pointer + this.#bytes;
    this.#bytes = wanted;
    return at;
  }

  append(data: Uint8Array): void {
    const at = this.extend(data.length);
    this.instance.u8(at, data.length).set(data);
  }

  /** A view; use it before the next call that may allocate. */
  view(): Uint8Array {
    return this.instance.u8(this.#pointer, this.#bytes);
  }

  #free(): void {
    if (this.#capacity > 0 && !this.instance.ended) this.instance.free(this.#pointer, this.#capacity);
  }

  dispose(): void {
    this.#free();
    [this.#pointer, this.#capacity, this.#bytes] = [0, 0, 0];
  }
}
