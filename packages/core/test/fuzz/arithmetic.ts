/** Operators of `lowbit/ops` that compute with numbers of any type. */
import { Arithmetic, type ArithmeticFunction } from "../../src/kernels/arithmetic.ts";
import { argExtreme, BestK, cumSum, Reduce } from "../../src/kernels/reduce.ts";
import type { Draw } from "./draw.ts";
import { call, type Fuzzer } from "./problem.ts";

const product = (sizes: readonly number[]) => sizes.reduce((all, size) => all * size, 1);

const integers: Partial<Record<ArithmeticFunction, (a: number, b: number) => number>> = {
  add: (a, b) => (a + b) | 0,
  sub: (a, b) => (a - b) | 0,
  mul: Math.imul,
  div: (a, b) => (b === 0 ? 0 : Math.trunc(a / b) | 0),
  min: Math.min,
  max: Math.max,
  bitwiseXor: (a, b) => a ^ b,
  less: (a, b) => Number(a < b),
};

const floats: Partial<Record<ArithmeticFunction, (a: number, b: number) => number>> = {
  add: (a, b) => a + b,
  div: (a, b) => a / b,
  min: (a, b) => (a < b || Number.isNaN(a) ? a : b),
  max: (a, b) => (a > b || Number.isNaN(a) ? a : b),
  less: (a, b) => Number(a < b),
  leakyRelu: (a, b) => (a < 0 ? a * b : a),
  floor: Math.floor,
  sqrt: Math.sqrt,
  hardSwish: (a) => a * Math.min(1, Math.max(0, a / 6 + 0.5)),
  softsign: (a) => a / (1 + Math.abs(a)),
};

export const arithmetic: Fuzzer = (draw) => {
  const shape = Array.from({ length: draw.integer(0, 3) }, () => draw.size(20));
  const other = shape.map((size) => (draw.integer(0, 2) ? size : 1));
  const isFloat = draw.integer(0, 1) === 1;
  const forms = isFloat ? floats : integers;
  const name = draw.pick(...(Object.keys(forms) as ArithmeticFunction[]));
  const [x, y] = [shape, other].map((s) =>
    isFloat ? draw.anyFloats(product(s)) : Int32Array.from(draw.integers(product(s), -(2 ** 31), 2 ** 31 - 1)),
  );
  const dtype = isFloat ? "f32" : "int32";
  const at = (flat: number) => {
    let [rest, place, stride] = [flat, 0, 1];
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      if (other[axis] !== 1) place += (rest % shape[axis]!) * stride;
      rest = Math.floor(rest / shape[axis]!);
      stride *= other[axis]!;
    }
    return place;
  };
  return {
    text: `${name} of ${dtype} [${shape}] and [${other}]`,
    run: (kernels) => {
      const tensors = [shape, other].map((s) => ({ dtype, shape: s }) as const);
      using made = new Arithmetic(kernels, { function: name, tensors, to: dtype });
      return call(kernels, [x!, y!], isFloat ? "f32" : "i32", product(shape), (to, a, b) => made.run(to, a!, b));
    },
    expected: () =>
      Array.from(x!, (a, i) => {
        const value = forms[name]!(a, y![at(i)]!);
        return isFloat ? Math.fround(value) : value;
      }),
  };
};

export const reduce: Fuzzer = (draw: Draw) => {
  const [outer, size, inner] = [draw.size(6), draw.size(200), draw.integer(0, 1) ? 1 : draw.size(150)];
  const lines = [outer, size, inner] as const;
  const x = Int32Array.from(draw.integers(outer * size * inner, -99, 99));
  const line = (l: number) =>
    Array.from({ length: size }, (_, i) => x[(Math.floor(l / inner) * size + i) * inner + (l % inner)]!);
  const each = <T>(of: (values: number[]) => T) => Array.from({ length: outer * inner }, (_, l) => of(line(l)));
  switch (draw.pick("sum", "max", "argExtreme", "cumSum", "best")) {
    case "cumSum":
      return {
        text: `running sums of [${lines}]`,
        run: (kernels) =>
          call(kernels, [x], "i32", x.length, (y, from) =>
            cumSum(kernels, "int32", lines, from!, y, { reverse: true }),
          ),
        expected: () => {
          const sums = each((values) => values.map((_, i) => values.slice(i).reduce((a, b) => a + b, 0)));
          return Array.from(x, (_, at) => {
            const l = Math.floor(at / (size * inner)) * inner + (at % inner);
            return sums[l]![Math.floor(at / inner) % size]!;
          });
        },
      };
    case "argExtreme":
      return {
        text: `positions of the largest of [${lines}]`,
        run: (kernels) =>
          call(kernels, [x], "i32", 2 * outer * inner, (y, from) => {
            argExtreme(kernels, "int32", lines, from!, y, { smallest: false, last: false });
          }).filter((_, i) => i % 2 === 0),
        expected: () => each((values) => values.indexOf(Math.max(...values))),
      };
    case "best": {
      const k = draw.integer(1, size);
      return {
        text: `the ${k} smallest of [${lines}]`,
        run: (kernels) => {
          using made = new BestK(kernels, { dtype: "int32", lines, k, smallest: true });
          const positions = kernels.alloc(8 * outer * k * inner);
          const values = call(kernels, [x], "i32", outer * k * inner, (y, from) => made.run(from!, y, positions));
          if (!kernels.ended) kernels.free(positions, 8 * outer * k * inner);
          return values;
        },
        expected: () => {
          const sorted = each((values) => values.sort((a, b) => a - b));
          return Array.from({ length: outer * k * inner }, (_, at) => {
            const l = Math.floor(at / (k * inner)) * inner + (at % inner);
            return sorted[l]![Math.floor(at / inner) % k]!;
          });
        },
      };
    }
    case "max":
      return {
        text: `the largest of [${lines}]`,
        run: (kernels) => {
          using made = new Reduce(kernels, { reduction: "max", dtype: "int32", shape: lines, axes: [1] });
          return call(kernels, [x], "i32", outer * inner, (y, from) => made.run(from!, y));
        },
        expected: () => each((values) => Math.max(...values)),
      };
    default:
      return {
        text: `sums of [${lines}] over the outer axes`,
        run: (kernels) => {
          using made = new Reduce(kernels, { reduction: "sum", dtype: "int32", shape: lines, axes: [0, 2] });
          return call(kernels, [x], "i32", size, (y, from) => made.run(from!, y));
        },
        expected: () => Array.from({ length: size }, (_, i) => each((values) => values[i]!).reduce((a, b) => a + b, 0)),
      };
  }
};
