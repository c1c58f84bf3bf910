/** From vectors as users give them to rows in WASM memory, as they are coded: checked, cut, of length 1 for cosine, rotated. */
import { NotFiniteError, OutOfRangeError, ShapeError } from "lowbit";
import {
  firstUnusableVector,
  type KernelInstance,
  normalizeVectors,
  rotateVectors,
  type VectorRows,
} from "lowbit/kernels";

/** Vectors: f32 [n, D], row-major. */
export interface Vectors {
  readonly shape: readonly number[];
  readonly data: Float32Array;
}

/** Rows that are prepared together. */
export const CHUNK = 4096;

export interface Preparation {
  readonly instance: KernelInstance;
  /** Coordinates as given. */
  readonly input: number;
  /** Coordinates that are kept. */
  readonly dimension: number;
  readonly normalize: boolean;
  /** R, f32 [D, D]. */
  readonly rotation: Float32Array | undefined;
}

/** @throws ShapeError */
export function checkVectors(op: string, { shape, data }: Vectors, dimension?: number): { n: number; d: number } {
  const [n = -1, d = 0] = shape;
  const expected = dimension === undefined ? "[n, D]" : `[n, ${dimension}]`;
  const fits = shape.length === 2 && d >= 1 && data.length === n * d && (dimension === undefined || d === dimension);
  if (!fits) throw new ShapeError(op, "vectors", expected, `[${shape}] with ${data.length} numbers`);
  return { n, d };
}

export class Preparer implements Disposable {
  readonly #preparation: Preparation;
  #transposed = 0;

  get instance(): KernelInstance {
    return this.#preparation.instance;
  }

  constructor(preparation: Preparation) {
    this.#preparation = preparation;
    const { rotation, instance, dimension } = preparation;
    if (rotation) {
      // Rᵀ row by row is what the kernel reads.
      const transposed = Float32Array.from(
        rotation,
        (_, i) => rotation[(i % dimension) * dimension + Math.floor(i / dimension)]!,
      );
      this.#transposed = instance.upload(transposed);
    }
  }

  /**
   * Runs `use` on rows `from..to`.
   * @throws NotFiniteError with the vector's number, OutOfRangeError where |x|² is above 1e36
   */
  with<T>(op: string, { data }: Vectors, from: number, to: number, use: (rows: VectorRows) => T): T {
    const { instance, input, dimension, normalize, rotation } = this.#preparation;
    const n = to - from;
    const bytes = 4 * n * dimension;
    const x = instance.alloc(bytes);
    const y = rotation ? instance.alloc(bytes) : 0;
    try {
      const memory = instance.f32(x, n * dimension);
      if (input === dimension) memory.set(data.subarray(from * input, to * input));
      else
        for (let i = 0; i < n; i++) {
          const at = (from + i) * input;
          memory.set(data.subarray(at, at + dimension), i * dimension);
        }
      const rows = { x, n, dimension };
      const bad = firstUnusableVector(instance, rows);
      if (bad < n) refuse(op, from + bad, data.subarray((from + bad) * input, (from + bad + 1) * input));
      if (normalize) normalizeVectors(instance, rows);
      if (!rotation) return use(rows);
      rotateVectors(instance, rows, this.#transposed, y);
      return use({ ...rows, x: y });
    } finally {
      if (!instance.ended) {
        instance.free(x, bytes);
        if (y) instance.free(y, bytes);
      }
    }
  }

  /** Undoes the rotation of one vector. */
  restore(vector: Float32Array): Float32Array {
    const { rotation, instance, dimension } = this.#preparation;
    if (!rotation) return vector;
    const [x, matrix, y] = [instance.upload(vector), instance.upload(rotation), instance.alloc(4 * dimension)];
    try {
      rotateVectors(instance, { x, n: 1, dimension }, matrix, y);
      return instance.f32(y, dimension).slice();
    } finally {
      if (!instance.ended) {
        instance.free(x, vector.byteLength);
        instance.free(matrix, rotation.byteLength);
        instance.free(y, 4 * dimension);
      }
    }
  }

  [Symbol.dispose](): void {
    const { rotation, instance } = this.#preparation;
    if (rotation && !instance.ended) instance.free(this.#transposed, rotation.byteLength);
    this.#transposed = 0;
  }
}

function refuse(op: string, number: number, vector: Float32Array): never {
  const at = vector.findIndex((x) => !Number.isFinite(x));
  if (at >= 0) throw new NotFiniteError(op, `vector ${number}`, at);
  throw new OutOfRangeError(op, `|x|² of vector ${number}`, "at most 1e36", "more");
}
