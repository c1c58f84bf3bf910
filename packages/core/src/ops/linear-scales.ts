/** What `quantizeLinear` and `dequantizeLinear` share: how scales lie along an axis. */
import type { AttributeRule } from "../graph/attributes.ts";
import * as attribute from "../graph/attributes.ts";
import type { Node, ValueInfo } from "../graph/types.ts";
import { Linear, type LinearOptions } from "../kernels/linear.ts";
import type { LoweringContext } from "../runtime/lower/context.ts";
import type { Binding, Operation } from "../runtime/lower/operation.ts";
import { sizeOf } from "../tensor.ts";
import { operationOf, refuse } from "./operator.ts";

export interface ScaleAttributes {
  /** What scales of one axis, or of blocks, are along; 0 where there is one scale. */
  readonly axis: number;
  /** Entries of the axis that share a scale; 0: none, one scale for the tensor or for an entry. */
  readonly block: number;
}

export const scaleRules: { readonly [K in keyof ScaleAttributes]: AttributeRule } = {
  axis: attribute.integer(0, 15),
  block: attribute.integer(0, attribute.maxSize),
};

type Shapes = readonly (ValueInfo | undefined)[];

/** @throws GraphError where scale and zero point do not fit x */
export function checkScales(node: Node, { axis, block }: ScaleAttributes, [x, scale, zero]: Shapes): void {
  const given = scale!.shape;
  const one = sizeOf(given.map(Number)) === 1;
  const single = one && zero && sizeOf(zero.shape.map(Number)) === 1;
  if (zero && !single && zero.shape.join() !== given.join()) refuse(node, "shape of the zero point", given, zero.shape);
  if (one && block === 0) return;
  const size = x!.shape[axis];
  if (size === undefined) refuse(node, "axis", `0 to ${x!.shape.length - 1}`, axis);
  if (block === 0) {
    if (given.length !== 1 || (given[0] !== size && typeof size === "number"))
      refuse(node, "shape of the scale", [size], given);
    return;
  }
  const wanted = x!.shape.map((d, i) => (i === axis && typeof d === "number" ? Math.ceil(d / block) : d));
  if (given.length !== wanted.length || given.some((d, i) => typeof wanted[i] === "number" && d !== wanted[i]))
    refuse(node, "shape of the scale", wanted, given);
}

function granularityOf({ block }: ScaleAttributes, scales: number): LinearOptions["granularity"] {
  if (block > 0) return block;
  return scales === 1 ? "tensor" : "axis";
}

/** The kernel of either; `codes` is the value that holds them. */
export function lowerLinear(
  node: Node & { readonly attributes: ScaleAttributes },
  context: LoweringContext,
  direction: "quantize" | "dequantize",
  { dtype, range }: Pick<LinearOptions, "dtype" | "range">,
): Operation {
  const [x = "", scale = "", zero = ""] = node.inputs;
  const [y = ""] = node.outputs;
  return operationOf(node, context, "convert", {
    bind({ instance, pointer, shape, own }: Binding) {
      const { axis } = node.attributes;
      const sizes = shape(x);
      const parts = [sizeOf(sizes.slice(0, axis)), sizes[axis] ?? 1, sizeOf(sizes.slice(axis + 1))] as const;
      const granularity = granularityOf(node.attributes, sizeOf(shape(scale)));
      const linear = own(new Linear(instance, { dtype, shape: parts, granularity, range }));
      const [from, by, from0, to] = [pointer(x), pointer(scale), zero === "" ? 0 : pointer(zero), pointer(y)];
      return () => linear[direction](from, by, from0, to);
    },
  });
}

/** For references: the position of the scale of element `index`. */
export function scaleAt({ axis, block }: ScaleAttributes, scale: readonly number[], index: readonly number[]): number {
  if (block > 0) {
    const at = index.map((i, a) => (a === axis ? Math.floor(i / block) : i));
    return at.reduce((offset, i, a) => offset * scale[a]! + i, 0);
  }
  return sizeOf(scale) === 1 ? 0 : index[axis]!;
}
