/**
 * The rest of a / b: of b's sign, a - b * floor(a / b), or, `truncated`, of a's, a - b * trunc(a / b). Of integers 0 where b is 0.
 *
 * Inputs: a and b of one number type, of shapes that broadcast. Output: that type.
 */
import { flag } from "../graph/attributes.ts";
import type { NodeOf } from "../graph/types.ts";
import { eachOf, elementwise, floatTypes, numberTypes, of } from "./elementwise.ts";
import type { Value } from "./reference.ts";

export interface ModAttributes {
  readonly truncated: boolean;
}

export const mod = elementwise("mod", {
  attributes: { truncated: flag },
  inputs: [of(numberTypes), of(numberTypes)],
  call: ({ attributes: { truncated } }) => ({ function: truncated ? "fmod" : "mod" }),
});

export function reference({ attributes }: NodeOf<"mod">, [a, b]: readonly (Value | undefined)[]): Value[] {
  const isFloat = floatTypes.includes(a!.dtype);
  return eachOf(a!.dtype, [a, b], (a, b) => {
    if (b === 0 && !isFloat) return 0;
    const rest = a % b;
    return attributes.truncated || rest === 0 || rest < 0 === b < 0 ? rest : rest + b;
  });
}
