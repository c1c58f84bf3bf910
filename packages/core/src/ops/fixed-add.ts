/**
 * The sum of codes of two scales by integers alone, as TensorFlow Lite's reference kernels add: each operand, with 20 more bits, is scaled to a common scale, their sum to y's.
 *
 * y = clamp(scaled_y(scaled_a((a - zeroA) · 2^20) + scaled_b((b - zeroB) · 2^20)) + zeroPoint), scaled as in `fixedRequantize`.
 *
 * Inputs: a, b, bytes of the type `dtype`, of one shape. Output: as they. Attributes `multipliers` and `exponents` are of a, b and y.
 */
import * as attribute from "../graph/attributes.ts";
import type { NodeOf } from "../graph/types.ts";
import { FixedAdd, type FixedFactor } from "../kernels/fixed-point.ts";
import { sizeOf } from "../tensor.ts";
import {
  codeOf,
  codesOf,
  codesRules,
  type FixedCodesAttributes,
  LEAST_EXPONENT,
  MOST_EXPONENT,
  MOST_MULTIPLIER,
  scaled,
} from "./fixed-point.ts";
import { type Operator, operationOf, refuse, shapeOf } from "./operator.ts";
import type { Value } from "./reference.ts";

export interface FixedAddAttributes extends FixedCodesAttributes {
  /** Of a, b and y, 0 to 2^31 - 1. */
  readonly multipliers: readonly number[];
  /** -31 to 30. */
  readonly exponents: readonly number[];
  /** Of a and b. */
  readonly zeroPoints: readonly number[];
}

function factorsOf({ multipliers, exponents }: FixedAddAttributes): [FixedFactor, FixedFactor, FixedFactor] {
  const factor = (i: number): FixedFactor => ({ multiplier: multipliers[i]!, exponent: exponents[i]! });
  return [factor(0), factor(1), factor(2)];
}

export const fixedAdd: Operator<"fixedAdd"> = {
  name: "fixedAdd",
  attributes: {
    ...codesRules,
    multipliers: attribute.integers(3, 0, MOST_MULTIPLIER),
    exponents: attribute.integers(3, LEAST_EXPONENT, MOST_EXPONENT),
    zeroPoints: attribute.integers(2, -128, 255),
  },
  inputs: [{ dtypes: ["int8", "uint8"] }, { dtypes: ["int8", "uint8"] }],
  outputs(node, inputs) {
    const [a, b] = [shapeOf(node, inputs, 0), shapeOf(node, inputs, 1)];
    if (a.length !== b.length || a.some((size, axis) => size !== b[axis])) refuse(node, "shape of b", a, b);
    const { dtype } = node.attributes;
    for (const input of inputs) if (input!.dtype !== dtype) refuse(node, "type of an operand", dtype, input!.dtype);
    return [{ dtypes: [dtype], shape: a }];
  },
  lower(node, context) {
    const [a = "", b = ""] = node.inputs;
    const [y = ""] = node.outputs;
    const { zeroPoints } = node.attributes;
    const [ofA, ofB, factor] = factorsOf(node.attributes);
    return operationOf(node, context, "fixed_point", {
      bind({ instance, pointer, shape, own }) {
        const operands = [
          { ...ofA, zeroPoint: zeroPoints[0]! },
          { ...ofB, zeroPoint: zeroPoints[1]! },
        ] as const;
        const kernel = own(new FixedAdd(instance, { operands, factor, ...codesOf(node.attributes) }));
        const count = sizeOf(shape(y));
        const [left, right, to] = [pointer(a), pointer(b), pointer(y)];
        return () => kernel.run(left, right, count, to);
      },
    });
  },
};

export function reference(node: NodeOf<"fixedAdd">, [a, b]: readonly (Value | undefined)[]): Value[] {
  const { attributes } = node;
  const [ofA, ofB, factor] = factorsOf(attributes);
  const [zeroA = 0, zeroB = 0] = attributes.zeroPoints;
  const data = a!.data.map((code, i) => {
    const sum = scaled((code - zeroA) * 2 ** 20, ofA) + scaled((b!.data[i]! - zeroB) * 2 ** 20, ofB);
    return codeOf(scaled(sum, factor), attributes);
  });
  return [{ dtype: attributes.dtype, shape: a!.shape, data }];
}
