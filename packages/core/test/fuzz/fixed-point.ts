import { FixedRequantize } from "../../src/kernels/fixed-point.ts";
import { codeOf, scaled, scaledOnce } from "../../src/ops/fixed-point.ts";
import { call, type Fuzzer } from "./problem.ts";

export const fixedPoint: Fuzzer = (draw) => {
  const [rows, columns] = [draw.integer(1, 5), draw.size(40)];
  const count = draw.pick(1, columns);
  const codes = { dtype: "int8", zeroPoint: draw.integer(-128, 127), min: -128, max: draw.integer(-128, 127) } as const;
  const multipliers = Int32Array.from(draw.integers(count, 0, 2 ** 31 - 1));
  const exponents = Int32Array.from(draw.integers(count, -31, 8));
  const bias = Int32Array.from(draw.integers(columns, -5000, 5000));
  const rounded = draw.pick("twice", "once");
  const x = Int32Array.from(draw.integers(rows * columns, -(2 ** 20), 2 ** 20));
  return {
    text: `fixedRequantize ${rows} x ${columns}, ${count} factors`,
    run: (kernels) => {
      const clamp = [codes.min, codes.max] as const;
      using made = new FixedRequantize(kernels, { columns, multipliers, exponents, bias, rounded, ...codes, clamp });
      return call(kernels, [x], "i8", x.length, (y, from) => made.run(from!, rows, y));
    },
    expected: () =>
      Array.from(x, (sum, i) => {
        const at = count === 1 ? 0 : i % columns;
        const factor = { multiplier: multipliers[at]!, exponent: exponents[at]! };
        return codeOf((rounded === "once" ? scaledOnce : scaled)(sum + bias[i % columns]!, factor), codes);
      }),
  };
};
