import { np } from "../autograd.ts";
import { xnorScale } from "../estimators/activations.ts";
import { signSte } from "../estimators/ste.ts";
import { type GraphWriter, signNodes } from "../export/graph.ts";
import type { Layer } from "./layer.ts";

export interface XnorProductOptions {
  /** Side of the convolution's window, odd, where `product` is one with border 0; absent: `product` is dense. */
  readonly window?: number;
}

/**
 * XNOR-Net's product of binary activations (Rastegari et al. 2016, eq. 11): y = f(sign x) ∘ K, f a dense layer or a convolution without a bias, and K the scale that gives the signs the size of x:
 *
 *   dense: K = mean |x| of the sample;   convolution: K = A * k, A = mean |x| over channels, k = 1/(w h).
 *
 * x is what `product` takes; a dense one [N, K]. The gradient of the signs is the clipped one, that of K its own. Where f has binary weights it stays a product of bits; K is a factor of its result.
 */
export function xnorProduct(name: string, product: Layer, { window }: XnorProductOptions = {}): Layer {
  const { freeze: _, ...layer } = product;
  return {
    ...layer,
    name,
    apply(x, parameters, context) {
      const scale = window === undefined ? np.absolute(x.ref).mean(-1, { keepdims: true }) : xnorScale(x.ref, window);
      return product.apply(signSte(x), parameters, context).mul(scale);
    },
    write(graph, x, tensors, weightOf) {
      const signs = signNodes(graph, `${name}.sign`, x);
      const y = product.write!(graph, signs, tensors, weightOf);
      return graph.add("mul", name, [y, scaleNodes(graph, `${name}.scale`, x, window)], {});
    },
  };
}

/** K of x: mean |x| over the last axis, then over each window. */
function scaleNodes(graph: GraphWriter, name: string, x: string, window: number | undefined): string {
  const magnitude = graph.add("abs", `${name}.abs`, [x], {});
  const data = BigInt64Array.of(-1n);
  const last = graph.constant(`${name}.axis`, { kind: "plain", dtype: "int64", shape: [1], data });
  const attributes = { reduction: "mean", keepAxes: true, keepWithoutAxes: false } as const;
  const mean = graph.add("reduce", `${name}.mean`, [magnitude, last], attributes);
  if (window === undefined) return mean;
  const by = (window - 1) / 2;
  return graph.add("avgPool", name, [mean], {
    kernel: [window, window],
    strides: [1, 1],
    dilations: [1, 1],
    pads: [by, by, by, by],
    countIncludePad: true,
  });
}
