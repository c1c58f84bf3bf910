import { expect, it } from "vitest";
import type { KernelInstance } from "../../src/kernels/instance.ts";
import { kernelSolver } from "../../src/kernels/solve.ts";
import type { Grouping } from "../../src/quantize/inner.ts";
import { naiveSolver } from "../quantize/naive-solve.ts";
import { integers } from "./random.ts";

/** Of the module of quantizers. */
export function solve(kernels: () => KernelInstance): void {
  const floats = (count: number, seed: number) => {
    const next = integers(seed);
    return Float32Array.from({ length: count }, () => next(-999, 999) / 333);
  };

  it.each([
    [1, 1, 3],
    [3, 7, 20],
    [2, 33, 40],
    [5, 66, 130],
  ])(
    "%i x %i weights, %i samples: Gram matrices and roundings are those of plain TypeScript",
    (rows, columns, samples) => {
      const calibration = { samples, inputs: floats(samples * columns, 1) };
      const w = floats(rows * columns, 2);
      const grouping: Grouping = { rows, columns, groupSize: columns };
      const grid = { scale: new Float32Array(rows).fill(0.5), zeroPoint: 4, minCode: 0, maxCode: 7 };
      const order = Uint32Array.from({ length: columns }, (_, j) => columns - 1 - j);
      const results = [kernelSolver(kernels()), naiveSolver].map((solver) => {
        using gram = solver.gram(calibration, columns);
        using ordered = solver.gram(calibration, columns, order);
        return {
          diagonal: [gram.diagonal, ordered.diagonal],
          gridErrors: gram.gridErrors({ w, grouping, grid }),
          errors: gram.errors(w, floats(w.length, 3)),
          codes: [gram, ordered].map((of) => of.gptq({ w, grouping, grid }, 0.5)),
          figures: solver.columnFigures(w, columns),
          scaled: solver.scale(w, columns, new Float64Array(rows).fill(1.5), new Float64Array(1).fill(0.25)),
          dots: solver.rowDots(w, Float64Array.from(floats(columns, 4))),
          powers: solver.powers(Float64Array.of(0, 0.25, 2, 9), 0.5),
        };
      });
      expect(results[0]).toEqual(results[1]);
    },
  );
}
