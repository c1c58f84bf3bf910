import { np } from "../autograd.ts";
import { floatWeights, type WeightRule } from "../estimators/weights.ts";
import { type GraphWriter, vector } from "../export/graph.ts";
import { transpose } from "../frozen/layout.ts";
import type { WeightSlot } from "../strategies/strategy.ts";
import { filled } from "../values.ts";
import { missingToFours } from "./fours.ts";
import { heUniform, type Layer, multiply, required, underRule } from "./layer.ts";

/** What stands outside the image, which then keeps its size: 0, or +1 for binary activations, which have no 0; or nothing, and the image shrinks. */
export type Border = 0 | 1 | "none";

/**
 * Square convolution, stride 1: x [N,H,W,C], w [size²,C,O] (tap = size * row + column) -> [N,H',W',O];
 * y[n,i,j,o] = sum over r, s, c of padded x[n,i+r,j+s,c] w[size r+s,c,o].
 *
 * As shifted matrix products: x moved by an offset, times a matrix of weights, one product for each tap. In the training engine
 * on WASM that is several times faster, forward and backward, than its built-in convolution or an im2col. Channels that do not come
 * in fours, those of an image, go by rows of the kernel.
 *
 * @param training whether its gradient is taken
 */
export function convolve(x: np.Array, w: np.Array, border: Border, training: boolean): np.Array {
  const [taps, channels, outputs] = w.shape as [number, number, number];
  const size = Math.sqrt(taps);
  const padded = border === "none" ? x : padImage(x, (size - 1) / 2, border);
  return missingToFours(channels) === 0
    ? shiftedProducts(padded, w.reshape([size, size, channels, outputs]), training)
    : shiftedProducts(besides(padded, size), alongRows(w, size), training);
}

/** x [N,H,W,C], w [rows,columns,C,O] -> [N, H - rows + 1, W - columns + 1, O]. Takes both. */
function shiftedProducts(x: np.Array, w: np.Array, training: boolean): np.Array {
  const [n, tall, wide, channels] = x.shape as [number, number, number, number];
  const [rows, columns, , outputs] = w.shape as [number, number, number, number];
  const [height, width] = [tall - rows + 1, wide - columns + 1];
  const products = Array.from({ length: rows * columns }, (_, tap) => {
    const row = Math.floor(tap / columns);
    const column = tap % columns;
    const shifted = x.ref.slice([], [row, row + height], [column, column + width], []);
    return np.matmul(
      (training ? shifted : asArray(shifted)).reshape([n * height * width, channels]),
      w.ref.slice(row, column),
    );
  });
  x.dispose();
  w.dispose();
  return products.reduce((total, product) => total.add(product)).reshape([n, height, width, outputs]);
}

/**
 * The same numbers as an array of their own. A slice that one product alone uses is no array to the engine but an index of that product, which then runs lane by lane and takes ten times as long; training, whose gradient uses the slice as
 * well, has it copied anyway. Takes x.
 */
const asArray = (x: np.Array): np.Array => np.maximum(x, Number.NEGATIVE_INFINITY);

/** What a row of the kernel sees, as channels: x [N,H,W,C] -> [N, H, W - size + 1, size C and zeros up to a multiple of 4]. Takes x. */
function besides(x: np.Array, size: number): np.Array {
  const [n, height, wide, channels] = x.shape as [number, number, number, number];
  const width = wide - size + 1;
  const seen = Array.from({ length: size }, (_, column) => x.ref.slice([], [], [column, column + width], []));
  x.dispose();
  return np.concatenate([...seen, np.zeros([n, height, width, missingToFours(size * channels)])], 3);
}

/** The weights for `besides`: [size²,C,O] -> [size, 1, size C and zeros, O]. Takes w. */
function alongRows(w: np.Array, size: number): np.Array {
  const [, channels, outputs] = w.shape as [number, number, number];
  return np.pad(w.reshape([size, 1, size * channels, outputs]), { 2: [0, missingToFours(size * channels)] });
}

/** A convolution of the Graph as `convolve` has it; a border of +1 is a `pad` before it. */
export function convNode(
  graph: GraphWriter,
  name: string,
  x: string,
  constants: readonly string[],
  { size, border, groups }: { readonly size: number; readonly border: Border; readonly groups: number },
): string {
  const by = border === "none" ? 0 : (size - 1) / 2;
  const sides = [0, by, by, 0];
  const padded = border === 1 ? graph.add("pad", `${name}.pad`, [x], { pads: [...sides, ...sides], value: 1 }) : x;
  const pad = border === 1 ? 0 : by;
  return graph.add("conv2d", name, [padded, ...constants], {
    kernel: [size, size],
    strides: [1, 1],
    dilations: [1, 1],
    pads: [pad, pad, pad, pad],
    groups,
    padding: "zero",
  });
}

/** `by` rows and columns of `border` on each side. Padding is by 0, so +1 is 0 on the image moved down by one. */
export function padImage(x: np.Array, by: number, border: 0 | 1): np.Array {
  const sides: [number, number][] = [
    [0, 0],
    [by, by],
    [by, by],
    [0, 0],
  ];
  return border === 0 ? np.pad(x, sides) : np.pad(x.sub(1), sides).add(1);
}

export interface ConvOptions {
  readonly inputs: number;
  readonly outputs: number;
  /** Height and width of the kernel, odd; default 3. */
  readonly size?: number;
  readonly weights?: WeightRule;
  /** Default 0. */
  readonly border?: Border;
  /** Default false: batch normalization follows. */
  readonly bias?: boolean;
}

/** Square convolution, stride 1. Parameters `name.weight` [size², inputs, outputs] and, where asked for, `name.bias` [outputs]. */
export function conv(
  name: string,
  { inputs, outputs, size = 3, weights = floatWeights, border = 0, bias = false }: ConvOptions,
): Layer {
  const weight = `${name}.weight`;
  const offset = `${name}.bias`;
  const taps = size * size;
  const slot: WeightSlot = {
    name: weight,
    shape: [outputs, size, size, inputs],
    rows: (w) => w.transpose([2, 0, 1]).reshape([outputs, size, size, inputs]),
    columns: (q) => q.reshape([outputs, taps, inputs]).transpose([1, 2, 0]),
  };
  const own = underRule(weights, slot);
  return {
    name,
    ...(weights.limit === undefined ? {} : { limits: { [weight]: weights.limit } }),
    initialize: (random) => ({
      [weight]: heUniform(random, [taps, inputs, outputs], taps * inputs),
      ...(bias ? { [offset]: filled([outputs], 0) } : {}),
    }),
    slots: own.slots,
    apply(x, parameters, context) {
      const w = weights.apply(required(parameters, weight));
      const y = multiply(context, weight, (a, b) => convolve(a, b, border, context.training), x, w);
      return bias ? y.add(required(parameters, offset)) : y;
    },
    write(graph, x, tensors, weightOf) {
      const inputs = [graph.constant(weight, own.constant(tensors, weightOf))];
      if (bias) inputs.push(vector(graph, offset, required(tensors, offset)));
      return convNode(graph, name, x, inputs, { size, border, groups: 1 });
    },
    freeze(tensors) {
      const { data } = weights.freeze(required(tensors, weight));
      const oihw = transpose({ shape: [size, size, inputs, outputs], data }, [3, 2, 0, 1]);
      return [{ kind: "conv", name, weight: oihw, border, ...(bias ? { bias: required(tensors, offset) } : {}) }];
    },
  };
}
