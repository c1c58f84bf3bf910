/** What operators share that read or write at places which indices name. */
import type { InputRule } from "../graph/operators.ts";
import type { DType, Node } from "../graph/types.ts";
import {
  Gather,
  type GatherAxis,
  type GatherOptions,
  type ScatterReduction,
  type ScatterType,
} from "../kernels/gather.ts";
import { Strided } from "../kernels/strided.ts";
import type { LoweringContext } from "../runtime/lower/context.ts";
import type { Binding, Operation } from "../runtime/lower/operation.ts";
import { bytesOf, sizeOf, type TensorDType } from "../tensor.ts";
import { operationOf } from "./operator.ts";
import type { Value } from "./reference.ts";
import { stridesOf, whole } from "./strided.ts";

/** Indices count from the end where they are negative. */
export const indices: InputRule = { dtypes: ["int64", "int32"] };

/** What a kernel is told of shapes; lengths come from them. */
export type Places = Pick<GatherOptions, "axes" | "coordinates" | "block">;

/** How many blocks there are along `shape`, each with indices of its own. */
export function walked(shape: readonly number[], strides: readonly number[], tuple = 1): GatherAxis[] {
  const index = stridesOf(shape);
  return shape.map((count, axis) => ({ count, stride: strides[axis]!, indexStride: index[axis]! * tuple }));
}

const indexBytesOf = (context: LoweringContext, name: string): 4 | 8 => (context.info(name).dtype === "int64" ? 8 : 4);

/** y, the blocks of input 0 that input 1 names. */
export function lowerGather(node: Node, context: LoweringContext, places: (binding: Binding) => Places): Operation {
  const [x = "", at = ""] = node.inputs;
  const [y = ""] = node.outputs;
  const elementBytes = bytesOf[context.info(x).dtype as TensorDType];
  const indexBytes = indexBytesOf(context, at);
  return operationOf(node, context, "gather", {
    bind(binding) {
      const { instance, shape, pointer } = binding;
      const lengths = { data: sizeOf(shape(x)), indices: sizeOf(shape(at)) };
      const kernel = binding.own(new Gather(instance, { ...lengths, ...places(binding) }));
      const [from, list, to] = [pointer(x), pointer(at), pointer(y)];
      return () => kernel.run(elementBytes, indexBytes, from, list, to);
    },
  });
}

/** Where only bits are moved, the type that has as many. */
export const bitsOf = (dtype: DType): ScatterType =>
  (({ 1: "uint8", 2: "uint16", 4: "uint32", 8: "uint64" }) as const)[bytesOf[dtype as TensorDType]];

/** y, input 0 with the blocks of input 2 at the places that input 1 names. */
export function lowerScatter(
  node: Node,
  context: LoweringContext,
  reduction: ScatterReduction,
  places: (binding: Binding) => Places,
): Operation {
  const [x = "", at = "", updates = ""] = node.inputs;
  const [y = ""] = node.outputs;
  const { dtype } = context.info(x);
  const type = reduction === "none" ? bitsOf(dtype) : (dtype as ScatterType);
  const indexBytes = indexBytesOf(context, at);
  return operationOf(node, context, "gather", {
    bind(binding) {
      const { instance, shape, pointer } = binding;
      const data = sizeOf(shape(x));
      const axes = [{ stride: 1, segments: [whole(data)] }];
      const copy = binding.own(new Strided(instance, { elementBytes: bytesOf[type], length: data, axes }));
      const lengths = { data, indices: sizeOf(shape(at)) };
      const kernel = binding.own(new Gather(instance, { ...lengths, ...places(binding) }));
      const isEmpty = lengths.indices === 0 || shape(updates).includes(0);
      const [from, list, blocks, to] = [pointer(x), pointer(at), pointer(updates), pointer(y)];
      return () => {
        copy.run(from, to);
        if (!isEmpty) kernel.scatter(type, reduction, indexBytes, blocks, false, list, to);
      };
    },
  });
}

/** As the reductions of the kernel, on the numbers of references. */
export const reduced: Readonly<Record<ScatterReduction, (old: number, value: number) => number>> = {
  none: (_, value) => value,
  add: (old, value) => old + value,
  mul: (old, value) => old * value,
  min: Math.min,
  max: Math.max,
};

/** An index counted from the front. */
export const counted = (index: number, size: number): number => (index < 0 ? index + size : index);

/** A copy of x to write into. */
export const copyOf = (x: Value): Value => ({ ...x, data: x.data.slice() });
