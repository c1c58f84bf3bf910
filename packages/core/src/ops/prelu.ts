/**
 * x < 0 ? x * slope : x (He et al. 2015).
 *
 * Inputs: x and slope of one float or signed integer type, of shapes that broadcast. Output: that type.
 */
import type { NodeOf } from "../graph/types.ts";
import { eachOf, elementwise, floatTypes, of, signedTypes } from "./elementwise.ts";
import type { Value } from "./reference.ts";

const types = [...floatTypes, ...signedTypes];

export const prelu = elementwise("prelu", { inputs: [of(types), of(types)], call: () => ({ function: "leakyRelu" }) });

export function reference(_node: NodeOf<"prelu">, [x, slope]: readonly (Value | undefined)[]): Value[] {
  return eachOf(x!.dtype, [x, slope], (x, slope) => (x < 0 ? x * slope : x));
}
