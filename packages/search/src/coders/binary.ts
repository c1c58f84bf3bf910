/** Signs: one bit a coordinate, 1 = negative; scores are numbers of signs that differ. */
import { binaryRowBytes, hammingScan, type KernelInstance, packSigns, type VectorRows } from "lowbit/kernels";
import type { CodeList, Coder, CoderSetting, Query, Scanner } from "./coder.ts";

export class BinaryCoder implements Coder {
  readonly residual = false;
  readonly counts = true;
  readonly blocks = ["codes"];
  readonly bytesPerVector: number;
  readonly #instance: KernelInstance;
  readonly #dimension: number;

  constructor({ instance, dimension }: CoderSetting) {
    this.#instance = instance;
    this.#dimension = dimension;
    this.bytesPerVector = binaryRowBytes(dimension);
  }

  append(list: CodeList, { x, n, dimension }: VectorRows): void {
    packSigns(this.#instance, x, n, dimension, list.blocks.codes!.extend(n * this.bytesPerVector));
    list.n += n;
  }

  scanner({ pointer }: Query): Scanner {
    const [instance, bits] = [this.#instance, this.#dimension];
    const query = instance.alloc(this.bytesPerVector);
    packSigns(instance, pointer, 1, bits, query);
    return {
      scan: ({ blocks, n }, selection, top) =>
        hammingScan(instance, { ...selection, codes: blocks.codes!.pointer, n, bits }, query, top),
      [Symbol.dispose]: () => {
        if (!instance.ended) instance.free(query, this.bytesPerVector);
      },
    };
  }

  decode(list: CodeList, position: number): Float32Array {
    const words = this.#instance.u32(
      list.blocks.codes!.pointer + position * this.bytesPerVector,
      this.bytesPerVector / 4,
    );
    return Float32Array.from({ length: this.#dimension }, (_, i) =>
      ((words[i >> 5]! >>> (i & 31)) & 1) === 1 ? -1 : 1,
    );
  }

  [Symbol.dispose](): void {}
}
