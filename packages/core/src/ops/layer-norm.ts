/**
 * Layer normalization over the last axis (Ba, Kiros and Hinton 2016): y = (x - mean) * (1 / sqrt(variance + epsilon)) * scale + bias, every step rounded to f32, variance
 * that of the whole row.
 *
 * Inputs: x f32 [..., C], scale f32 [C], bias? f32 [C], constants. Output: as x.
 */
import * as attribute from "../graph/attributes.ts";
import type { NodeOf } from "../graph/types.ts";
import type { Operator } from "./operator.ts";
import type { Value } from "./reference.ts";
import { lowerRowNorm, normalizedRows, rowNormInputs, rowNormOutputs } from "./row-norm.ts";

export interface LayerNormAttributes {
  readonly epsilon: number;
}

export const layerNorm: Operator<"layerNorm"> = {
  name: "layerNorm",
  attributes: { epsilon: attribute.notNegative },
  inputs: rowNormInputs,
  outputs: rowNormOutputs,
  lower: (node, context) => lowerRowNorm(node, context, true),
};

export const reference = (node: NodeOf<"layerNorm">, inputs: readonly (Value | undefined)[]): Value[] =>
  normalizedRows(node.attributes.epsilon, inputs, true);
