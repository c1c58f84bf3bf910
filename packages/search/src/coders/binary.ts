/** Signs: one bit a coordinate, 1 = negative; scores are numbers of signs that differ. */
import { binaryRowBytes, hammingScan, type KernelInstance, packSigns, type VectorRows } from "lowbit/kernels";
import { type CodeList, type Coder, type CoderSetting, copyRows, type Query, type Run, type Scanner } from "./coder.ts";

export class BinaryCoder implements Coder {
  readonly residual = false;
  readonly counts = true;
  readonly blocks: Coder["blocks"];
  readonly #rowBytes: number;
  readonly #instance: KernelInstance;
  readonly #dimension: number;

  constructor({ instance, dimension }: CoderSetting) {
    this.#instance = instance;
    this.#dimension = dimension;
    this.#rowBytes = binaryRowBytes(dimension);
    this.blocks = { codes: (n) => n * this.#rowBytes };
  }

  append(list: CodeList, { x, n, dimension }: VectorRows): void {
    packSigns(this.#instance, x, n, dimension, list.blocks.codes!.extend(n * this.#rowBytes));
    list.n += n;
  }

  copy(to: CodeList, from: CodeList, runs: readonly Run[]): void {
    copyRows(this, to, from, runs);
  }

  scanner({ pointer, count }: Query): Scanner {
    const [instance, bits] = [this.#instance, this.#dimension];
    const bytes = count * this.#rowBytes;
    const query = instance.alloc(bytes);
    packSigns(instance, pointer, count, bits, query);
    return {
      scan: ({ blocks, n }, selection, top) =>
        hammingScan(instance, { ...selection, codes: blocks.codes!.pointer, n, bits }, query, top),
      [Symbol.dispose]: () => {
        if (!instance.ended) instance.free(query, bytes);
      },
    };
  }

  decode(list: CodeList, position: number): Float32Array {
    const words = this.#instance.u32(list.blocks.codes!.pointer + position * this.#rowBytes, this.#rowBytes / 4);
    return Float32Array.from({ length: this.#dimension }, (_, i) =>
      ((words[i >> 5]! >>> (i & 31)) & 1) === 1 ? -1 : 1,
    );
  }

  [Symbol.dispose](): void {}
}
