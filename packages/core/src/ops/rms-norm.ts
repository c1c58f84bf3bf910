/**
 * RMS normalization over the last axis (Zhang and Sennrich 2019): y = x * (1 / sqrt(mean of x² + epsilon)) * scale + bias, every step rounded to f32.
 *
 * Inputs: x f32 [..., C], scale f32 [C], bias? f32 [C], constants. Output: as x.
 */
import * as attribute from "../graph/attributes.ts";
import type { NodeOf } from "../graph/types.ts";
import type { Operator } from "./operator.ts";
import type { Value } from "./reference.ts";
import { lowerRowNorm, normalizedRows, rowNormInputs, rowNormOutputs } from "./row-norm.ts";

export interface RmsNormAttributes {
  readonly epsilon: number;
}

export const rmsNorm: Operator<"rmsNorm"> = {
  name: "rmsNorm",
  attributes: { epsilon: attribute.notNegative },
  inputs: rowNormInputs,
  outputs: rowNormOutputs,
  lower: (node, context) => lowerRowNorm(node, context, false),
};

export const reference = (node: NodeOf<"rmsNorm">, inputs: readonly (Value | undefined)[]): Value[] =>
  normalizedRows(node.attributes.epsilon, inputs, false);
