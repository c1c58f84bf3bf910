/**
 * A product of bytes (ONNX MatMulInteger): y[..., m, n] = sum over k of (a[..., m, k] - aZero[m]) * (b[..., k, n] - bZero[n]), exact in int32; K at most 2^14.
 *
 * Inputs: a [..., M, K], b [..., K, N] int8 or uint8, stacks of equal size, or one matrix for all of the other's; aZero of a's type, [], [1] or [M], or [..., M, 1]; bZero of b's
 * type, [], [1] or [N]. Output: int32 [..., M, N].
 */
import { matmulShape } from "../graph/shapes.ts";
import type { DType, NodeOf, ValueInfo } from "../graph/types.ts";
import { MatmulInteger as Kernel } from "../kernels/matmul-integer.ts";
import { sizeOf } from "../tensor.ts";
import { type Operator, operationOf, refuse } from "./operator.ts";
import type { Value } from "./reference.ts";

export type MatmulIntegerAttributes = Record<never, never>;

type MatmulInteger = NodeOf<"matmulInteger">;

const bytes: readonly DType[] = ["int8", "uint8"];
const stack = (shape: readonly number[]): number => sizeOf(shape.slice(0, -2));

/** Zero points of a matrix of a, and whether every matrix has its own. */
function zerosOfA(a: readonly number[], zero: readonly number[]): { readonly count: number; readonly each: boolean } {
  const total = sizeOf(zero);
  const rows = a.at(-2)!;
  return total === 1 || total === rows ? { count: total, each: false } : { count: rows, each: true };
}

export const matmulInteger: Operator<"matmulInteger"> = {
  name: "matmulInteger",
  attributes: {},
  inputs: [
    { dtypes: bytes },
    { dtypes: bytes },
    { what: "zero point of a", dtypes: bytes },
    { what: "zero point of b", dtypes: bytes },
  ],
  outputs(node, inputs) {
    const [a, b, aZero, bZero] = inputs as readonly ValueInfo[];
    for (const [value, zero] of [
      [a, aZero],
      [b, bZero],
    ] as const)
      if (value!.dtype !== zero!.dtype) refuse(node, "type of a zero point", value!.dtype, zero!.dtype);
    const columns = sizeOf(bZero!.shape.map(Number));
    if (columns !== 1 && columns !== b!.shape.at(-1)) refuse(node, "zero points of b", [1, b!.shape.at(-1)], columns);
    // The shapes of a product are those of floats.
    const shape = matmulShape(node as never, [a!.shape, b!.shape]);
    return [{ dtypes: ["int32"], shape }];
  },
  lower(node, context) {
    const [a = "", b = "", aZero = "", bZero = ""] = node.inputs;
    const [y = ""] = node.outputs;
    const type = (name: string) => context.info(name).dtype as "int8" | "uint8";
    const [left, right] = [type(a), type(b)];
    return operationOf(node, context, "matmul_integer", {
      macs: (of) => sizeOf(of(y)) * of(a).at(-1)!,
      bind({ instance, pointer, shape, own }) {
        const [m, k] = shape(a).slice(-2) as [number, number];
        const n = shape(b).at(-1)!;
        const batch = stack(shape(y));
        const single = [stack(shape(a)) === 1, stack(shape(b)) === 1] as const;
        for (const [i, name] of [a, b].entries())
          if (!single[i] && stack(shape(name)) !== batch)
            refuse(node, `matrices of input ${i}`, `1 or ${batch}`, stack(shape(name)));
        const { count, each } = zerosOfA(shape(a), shape(aZero));
        if (each && sizeOf(shape(aZero)) !== batch * m)
          refuse(node, "zero points of a", `1, ${m} or ${batch * m}`, sizeOf(shape(aZero)));
        const zeroPoints = [count, sizeOf(shape(bZero))] as const;
        const options = { m, n, k, a: left, b: right, zeroPoints, single, zeroPointsByMatrix: each };
        const product = own(new Kernel(instance, options));
        const [from, from0, by, by0, to] = [a, aZero, b, bZero, y].map(pointer) as [
          number,
          number,
          number,
          number,
          number,
        ];
        return () => product.run(from, from0, by, by0, to, batch);
      },
    });
  },
};

export function reference(node: MatmulInteger, inputs: readonly (Value | undefined)[]): Value[] {
  const [a, b, aZero, bZero] = inputs as readonly Value[];
  const shape = matmulShape(node as never, [a!.shape, b!.shape]) as number[];
  const [m, k] = a!.shape.slice(-2) as [number, number];
  const n = b!.shape.at(-1)!;
  const data = Float64Array.from({ length: sizeOf(shape) }, (_, i) => {
    const [matrix, row, column] = [Math.floor(i / (m * n)), Math.floor(i / n) % m, i % n];
    const [left, right] = [stack(a!.shape) === 1 ? 0 : matrix, stack(b!.shape) === 1 ? 0 : matrix];
    const zeros = zerosOfA(a!.shape, aZero!.shape);
    const za = aZero!.data[zeros.count === 1 ? 0 : row + (zeros.each ? matrix * m : 0)]!;
    const zb = bZero!.data[bZero!.data.length === 1 ? 0 : column]!;
    let sum = 0;
    for (let at = 0; at < k; at++)
      sum += (a!.data[(left * m + row) * k + at]! - za) * (b!.data[(right * k + at) * n + column]! - zb);
    return sum;
  });
  return [{ dtype: "int32", shape, data }];
}
