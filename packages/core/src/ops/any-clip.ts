/**
 * min(max(x, low), high), high where low is above it; a NaN stays: `clip` of any type, with bounds that are tensors.
 *
 * Inputs: x, low and high of one number type, of shapes that broadcast, or without a bound. Output: that type.
 */
import type { NodeOf } from "../graph/types.ts";
import { eachOf, elementwise, maybe, numberTypes, of } from "./elementwise.ts";
import type { Value } from "./reference.ts";

export const anyClip = elementwise("anyClip", {
  inputs: [of(numberTypes), maybe(numberTypes), maybe(numberTypes)],
  call({ inputs: [, low, high] }) {
    // The kernel's constants stand behind its tensors: of one bound there is max or min.
    const function_ = low && high ? "clip" : low ? "max" : high ? "min" : "identity";
    return { function: function_ };
  },
});

export function reference(_node: NodeOf<"anyClip">, [x, low, high]: readonly (Value | undefined)[]): Value[] {
  const above = low ? eachOf(x!.dtype, [x, low], Math.max) : [x!];
  return high ? eachOf(x!.dtype, [above[0], high], Math.min) : above;
}
