import type { np } from "../autograd.ts";
import { vector } from "../export/graph.ts";
import type { WeightSlot } from "../strategies/strategy.ts";
import { filled } from "../values.ts";
import { type Border, convNode, padImage } from "./conv.ts";
import { heUniform, type Layer, multiply, required } from "./layer.ts";

export interface DepthwiseOptions {
  readonly channels: number;
  /** Height and width of the kernel, odd; default 3. */
  readonly size?: number;
  /** Default 0. */
  readonly border?: Border;
  /** Default false: batch normalization follows. */
  readonly bias?: boolean;
}

/** Square convolution of each channel by itself, stride 1: y[n,i,j,c] = sum over r, s of padded x[n,i+r,j+s,c] w[size r+s,c]. Parameter `name.weight` [size², channels]. */
export function depthwise(name: string, options: DepthwiseOptions): Layer {
  const { channels, size = 3, border = 0, bias = false } = options;
  const weight = `${name}.weight`;
  const offset = `${name}.bias`;
  const taps = size * size;
  const slot: WeightSlot = {
    name: weight,
    shape: [channels, size, size, 1],
    rows: (w) => w.transpose([1, 0]).reshape([channels, size, size, 1]),
    columns: (q) => q.reshape([channels, taps]).transpose([1, 0]),
  };
  const product = (x: np.Array, w: np.Array): np.Array => {
    const padded = border === "none" ? x : padImage(x, (size - 1) / 2, border);
    const [, tall = 0, wide = 0] = padded.shape;
    const [height, width] = [tall - size + 1, wide - size + 1];
    const terms = Array.from({ length: taps }, (_, tap) => {
      const [row, column] = [Math.floor(tap / size), tap % size];
      return padded.ref.slice([], [row, row + height], [column, column + width], []).mul(w.ref.slice(tap));
    });
    padded.dispose();
    w.dispose();
    return terms.reduce((sum, term) => sum.add(term));
  };
  return {
    name,
    slots: [slot],
    initialize: (random) => ({
      [weight]: heUniform(random, [taps, channels], taps),
      ...(bias ? { [offset]: filled([channels], 0) } : {}),
    }),
    apply(x, parameters, context) {
      const y = multiply(context, weight, product, x, required(parameters, weight));
      return bias ? y.add(required(parameters, offset)) : y;
    },
    write(graph, x, tensors, weightOf) {
      const constants = [graph.constant(weight, weightOf(slot))];
      if (bias) constants.push(vector(graph, offset, required(tensors, offset)));
      return convNode(graph, name, x, constants, { size, border, groups: channels });
    },
  };
}
