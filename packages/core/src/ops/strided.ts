/** The lowering that operators share whose kernel is a copy along strides. */
import type { Node } from "../graph/types.ts";
import { Strided, type StridedAxis } from "../kernels/strided.ts";
import type { LoweringContext } from "../runtime/lower/context.ts";
import type { Binding, Operation } from "../runtime/lower/operation.ts";
import { bytesOf, sizeOf, type TensorDType } from "../tensor.ts";
import { operationOf } from "./operator.ts";

/** Row-major strides in elements. */
export function stridesOf(shape: readonly number[]): number[] {
  const strides = shape.map(() => 1);
  for (let axis = shape.length - 2; axis >= 0; axis--) strides[axis] = strides[axis + 1]! * shape[axis + 1]!;
  return strides;
}

/** All of an axis. */
export const whole = (size: number) => ({ start: 0, step: 1, count: size });

/** The places of x that y's axes go through, one list of them for each output, and what padding holds. */
export interface Copies {
  readonly axes: readonly (readonly StridedAxis[])[];
  readonly fill?: Uint8Array;
}

/** x, the first input, copied to the outputs of its type. */
export function lowerStrided(node: Node, context: LoweringContext, copies: (binding: Binding) => Copies): Operation {
  const [x = ""] = node.inputs;
  const elementBytes = bytesOf[context.info(x).dtype as TensorDType];
  return operationOf(node, context, "strided", {
    bind(binding) {
      const { instance, pointer } = binding;
      const length = sizeOf(binding.shape(x));
      const { axes, fill } = copies(binding);
      const from = pointer(x);
      const parts = node.outputs.flatMap((name, i) => {
        if (binding.shape(name).includes(0)) return [];
        const object = binding.own(new Strided(instance, { elementBytes, length, axes: axes[i]!, fill }));
        return { object, to: pointer(name) };
      });
      return () => {
        for (let i = 0; i < parts.length; i++) parts[i]!.object.run(from, parts[i]!.to);
      };
    },
  });
}
