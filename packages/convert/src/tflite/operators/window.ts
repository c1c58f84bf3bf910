import type { Window2d } from "lowbit";
import type { NodeContext } from "../context.ts";
import { Padding } from "../schema.ts";

/** Sizes of a window as the options of convolutions and pools name them. */
export interface WindowOptions {
  readonly padding: number;
  readonly strideWidth: number;
  readonly strideHeight: number;
  readonly dilationWidth?: number;
  readonly dilationHeight?: number;
}

/**
 * The window over `x` [N, H, W, C] with explicit padding: none for VALID; for SAME what gives ceil(size / stride) positions,
 * the odd one behind.
 */
export function windowOf(node: NodeContext, x: string, kernel: readonly number[], options: WindowOptions): Window2d {
  const strides = [options.strideHeight, options.strideWidth] as const;
  const dilations = [options.dilationHeight ?? 1, options.dilationWidth ?? 1] as const;
  for (const size of [...kernel, ...strides, ...dilations])
    if (!(size >= 1 && size <= 0xffff)) node.damaged("kernel, strides and dilations", "sizes of 1 to 65535", size);
  if (options.padding !== Padding.SAME && options.padding !== Padding.VALID)
    node.damaged("padding", "0 (SAME) or 1 (VALID)", options.padding);
  const pads: [number, number, number, number] = [0, 0, 0, 0];
  if (options.padding === Padding.SAME) {
    for (const axis of [0, 1] as const) {
      const size = node.shape(x)[axis + 1];
      if (typeof size !== "number")
        node.unsupported(`SAME padding of the dynamic size ${size}`, "a fixed height and width");
      const span = (kernel[axis]! - 1) * dilations[axis] + 1;
      const total = Math.max((Math.ceil(size / strides[axis]) - 1) * strides[axis] + span - size, 0);
      pads[axis] = Math.floor(total / 2);
      pads[axis + 2] = total - pads[axis]!;
    }
  }
  return { kernel: [kernel[0]!, kernel[1]!], strides, dilations, pads };
}
