/** The inner loops of calibrated quantizers on WASM kernels; see crates/kernels/src/solve. Only the module part `quantize` has them. */
import { disposeSymbol } from "../dispose.ts";
import type { Grouping } from "../quantize/inner.ts";
import { groupCount } from "../quantize/inner.ts";
import type { AdaroundSearch, ColumnFigures, Gram, GridProblem, HqqSearch, Solver } from "../quantize/solve.ts";
import type { Calibration } from "../quantize/types.ts";
import type { AdditiveCodes } from "../quantize/vector/loops.ts";
import type { KernelInstance } from "./instance.ts";
import { Parameters } from "./kernel-object.ts";
import { copyF32, copyF64, copyU8, staged } from "./stage.ts";

/** Floats of a matrix that go over at a time: one calibration block. */
const BLOCK = 2 ** 18;

/** Rows of `x` in parts of about BLOCK floats. */
function* parts(x: Float32Array, columns: number): Generator<{ x: Float32Array; rows: number }> {
  const step = Math.max(1, Math.floor(BLOCK / columns)) * columns;
  for (let from = 0; from < x.length; from += step) {
    const part = x.subarray(from, from + step);
    yield { x: part, rows: part.length / columns };
  }
}

class KernelGram implements Gram {
  readonly columns: number;
  readonly diagonal: Float64Array;
  readonly #instance: KernelInstance;
  readonly #order: Uint32Array | undefined;
  #h: number;

  constructor(instance: KernelInstance, { inputs, samples }: Calibration, columns: number, order?: Uint32Array) {
    this.#instance = instance;
    this.columns = columns;
    this.#order = order;
    this.#h = instance.alloc(8 * columns * columns);
    const { exports } = instance;
    try {
      this.diagonal = staged(instance, (stage) => {
        const staging = stage.reserve(4 * Math.min(inputs.length, Math.max(BLOCK, columns)));
        const ordering = order === undefined ? 0 : stage.upload(order);
        for (const { x, rows } of parts(inputs, columns)) {
          instance.f32(staging, x.length).set(x);
          instance.check(exports.solve_gram(staging, rows, columns, ordering, this.#h));
        }
        const diagonal = stage.reserve(8 * columns);
        instance.check(exports.solve_finish_gram(this.#h, columns, 2 / samples, diagonal));
        return copyF64(instance, diagonal, columns);
      });
    } catch (error) {
      this[disposeSymbol]();
      throw error;
    }
  }

  damp(lambda: number): void {
    const { columns, diagonal } = this;
    const bytes = this.#instance.u8(this.#h, 8 * columns * columns);
    const h = new Float64Array(bytes.buffer, bytes.byteOffset, columns * columns);
    for (let k = 0; k < columns; k++) h[k * (columns + 1)] = diagonal[k]! + lambda;
  }

  gptq(problem: GridProblem, damping: number): Uint8Array {
    const instance = this.#instance;
    const { columns } = this;
    instance.check(instance.exports.solve_factor(this.#h, columns, damping));
    return this.#codes(problem, (parameters, codes) =>
      parameters.i32(columns, this.#h).array(this.#order).i32(codes).call(instance.exports.solve_gptq),
    );
  }

  adaround(problem: GridProblem, { iterations, rate, weight, beta }: AdaroundSearch): Uint8Array {
    const instance = this.#instance;
    return this.#codes(problem, (parameters, codes) =>
      parameters
        .i32(this.columns, this.#h, codes)
        .call((pointer, words) => instance.exports.solve_adaround(pointer, words, iterations, rate, weight, ...beta)),
    );
  }

  gridErrors(problem: GridProblem): Float64Array {
    const instance = this.#instance;
    const groups = groupCount(problem.grouping);
    return staged(instance, (stage) => {
      const forms = stage.reserve(8 * groups);
      gridParameters(instance, problem).i32(this.columns, this.#h, forms).call(instance.exports.solve_grid_quadratic);
      return copyF64(instance, forms, groups);
    });
  }

  additive(
    w: Float32Array,
    { codes, codebooks, count, dimension }: AdditiveCodes & { dimension: number },
    { steps, beam }: { steps: number; beam: number },
  ): AdditiveCodes & { error: number } {
    const instance = this.#instance;
    return staged(instance, (stage) => {
      const [books, chosen, error] = [stage.upload(codebooks), stage.upload(codes), stage.reserve(8)];
      const entries = codebooks.length / (count * dimension);
      new Parameters(instance)
        .array(w)
        .i32(this.columns, this.#h, dimension, count, entries, books, chosen, steps, beam)
        .call((pointer, words) => instance.exports.solve_additive(pointer, words, error));
      return {
        codes: copyU8(instance, chosen, codes.length),
        codebooks: copyF32(instance, books, codebooks.length),
        count,
        error: copyF64(instance, error, 1)[0]!,
      };
    });
  }

  errors(x: Float32Array, y: Float32Array): Float64Array {
    const instance = this.#instance;
    const rows = x.length / this.columns;
    return staged(instance, (stage) => {
      const forms = stage.reserve(8 * rows);
      const [a, b] = [stage.upload(x), stage.upload(y)];
      instance.check(instance.exports.solve_quadratic(a, b, rows, this.columns, this.#h, forms));
      return copyF64(instance, forms, rows);
    });
  }

  #codes(problem: GridProblem, run: (parameters: Parameters, codes: number) => void): Uint8Array {
    const instance = this.#instance;
    return staged(instance, (stage) => {
      const codes = stage.reserve(problem.w.length);
      run(gridParameters(instance, problem), codes);
      return copyU8(instance, codes, problem.w.length);
    });
  }

  [disposeSymbol](): void {
    const h = this.#h;
    this.#h = 0;
    if (h !== 0 && !this.#instance.ended) this.#instance.free(h, 8 * this.columns * this.columns);
  }
}

function gridParameters(instance: KernelInstance, { w, grouping, grid }: GridProblem): Parameters {
  const { scale, zeroPoint, minCode, maxCode } = grid;
  return new Parameters(instance)
    .array(w)
    .i32(grouping.rows, grouping.columns, grouping.groupSize)
    .array(scale)
    .array(typeof zeroPoint === "number" ? Int32Array.of(zeroPoint) : zeroPoint)
    .i32(minCode, maxCode);
}

/** The solver over an instance of the part `quantize`; another part's throws a KernelError at the first call. */
export function kernelSolver(instance: KernelInstance): Solver {
  return {
    gram: (calibration, columns, order) => new KernelGram(instance, calibration, columns, order),

    columnFigures: (x, columns): ColumnFigures =>
      staged(instance, (stage) => {
        const staging = stage.reserve(4 * Math.min(x.length, Math.max(BLOCK, columns)));
        const stats = stage.reserve(8 * 4 * columns);
        for (const part of parts(x, columns)) {
          instance.f32(staging, part.x.length).set(part.x);
          instance.check(instance.exports.solve_column_stats(staging, part.rows, columns, stats));
        }
        const all = copyF64(instance, stats, 4 * columns);
        const [sum, sumAbs, maxAbs, sumSquares] = [0, 1, 2, 3].map((i) => all.slice(i * columns, (i + 1) * columns));
        return { rows: x.length / columns, sum: sum!, sumAbs: sumAbs!, maxAbs: maxAbs!, sumSquares: sumSquares! };
      }),

    hqq: (w, grouping: Grouping, { maxCode, norm, beta, growth, rounds }: HqqSearch) =>
      staged(instance, (stage) => {
        const groups = groupCount(grouping);
        const [scale, offset, codes] = [stage.reserve(4 * groups), stage.reserve(4 * groups), stage.reserve(w.length)];
        new Parameters(instance)
          .array(w)
          .i32(grouping.rows, grouping.columns, grouping.groupSize, maxCode, rounds, scale, offset, codes)
          .call((pointer, words) => instance.exports.solve_hqq(pointer, words, norm, beta, growth));
        return {
          scale: copyF32(instance, scale, groups),
          offset: copyF32(instance, offset, groups),
          codes: copyU8(instance, codes, w.length),
        };
      }),

    hadamard: (x, columns, size, signs, inverse) =>
      staged(instance, (stage) => {
        const pointer = stage.upload(x);
        const { solve_hadamard } = instance.exports;
        instance.check(
          solve_hadamard(pointer, x.length / columns, columns, size, stage.upload(signs), inverse ? 1 : 0),
        );
        return copyF32(instance, pointer, x.length);
      }),

    scale: (w, columns, rows, channels) =>
      staged(instance, (stage) => {
        const pointer = stage.upload(w);
        const [factors, per] = [stage.upload(rows), stage.upload(channels)];
        const { solve_scale } = instance.exports;
        instance.check(solve_scale(pointer, rows.length, columns, factors, per, channels.length));
        return copyF32(instance, pointer, w.length);
      }),

    rowDots: (w, x) =>
      staged(instance, (stage) => {
        const rows = w.length / x.length;
        const y = stage.reserve(8 * rows);
        instance.check(instance.exports.solve_row_dots(stage.upload(w), rows, x.length, stage.upload(x), y));
        return copyF64(instance, y, rows);
      }),

    powers: (x, exponent) =>
      staged(instance, (stage) => {
        const pointer = stage.upload(x);
        instance.check(instance.exports.solve_powers(pointer, x.length, exponent));
        return copyF64(instance, pointer, x.length);
      }),
  };
}
