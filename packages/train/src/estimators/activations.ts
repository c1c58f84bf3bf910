import { autograd, np } from "../autograd.ts";
import { type GraphWriter, signNodes, vector } from "../export/graph.ts";
import { quantizeNode } from "../layers/input.ts";
import { type Layer, required } from "../layers/layer.ts";
import { ABOVE_ZERO } from "../optimizers/optimizer.ts";
import { filled, type HostTensors } from "../values.ts";
import { clipped, polynomial } from "./gradients.ts";
import { straightThrough } from "./ste.ts";

/** Activation quantizers with parameters or ranges of their own, as expressions; each equals the core's (test/activations.test.ts). */

/** round(x) to even with the gradient of x. */
const roundSte = (x: np.Array): np.Array => straightThrough(np.round(x.ref), x);

/** A ReLU on the grid step · {0 .. levels}, as the Graph has it: a clip, and codes of 8 bits where they fit. */
function gridNodes(graph: GraphWriter, name: string, x: string, step: number, levels: number): string {
  const within = graph.add("clip", name, [x], { min: 0, max: Math.fround(step * levels) });
  // uint8 has room for all grids here.
  const quantization = { scale: step, zeroPoint: 0 };
  const codes = graph.add("quantize", `${name}.codes`, [within], {}, { info: { dtype: "uint8", quantization } });
  return graph.add("dequantize", `${name}.reals`, [codes], {});
}

/**
 * DoReFa-Net's activations (Zhou et al. 2016): quantize_k(clip(x, 0, 1)), quantize_k(x) = round((2^k - 1) x) / (2^k - 1); the gradient is 1 on [0, 1], else 0.
 * @param bits k, 1..8
 */
export function dorefaActivation(name: string, bits: number): Layer {
  const levels = 2 ** bits - 1;
  const step = Math.fround(1 / levels);
  return {
    name,
    apply: (x) => roundSte(np.clip(x, 0, 1).div(step)).mul(step),
    write: (graph, x) => gridNodes(graph, name, x, step, levels),
  };
}

/**
 * PACT (Choi et al. 2018): x clipped to [0, α] on 2^k - 1 steps, α a parameter `name.alpha`; ∂y/∂x = 1 for 0 < x < α, ∂y/∂α = 1 for x >= α. α is kept above 0. The paper's decay of α is the optimizer's: `adam({ decay, decays: (name) => name.endsWith(".alpha") })`.
 * @param start α at the start
 */
export function pactActivation(name: string, bits: number, start = 6): Layer {
  const levels = 2 ** bits - 1;
  const alpha = `${name}.alpha`;
  const stepOf = (tensors: HostTensors) => Math.fround(required(tensors, alpha).data[0]! / levels);
  return {
    name,
    initialize: () => ({ [alpha]: filled([1], start) }),
    limits: { [alpha]: ABOVE_ZERO },
    apply(x, parameters) {
      const end = required(parameters, alpha);
      // min(max(x, 0), α): its gradient by α is that of the paper.
      const within = np.minimum(np.maximum(x, 0), end.ref);
      const step = autograd.stop(end).div(levels);
      return straightThrough(np.round(within.ref.div(step.ref)).mul(step), within);
    },
    write: (graph, x, tensors) => gridNodes(graph, name, x, stepOf(tensors), levels),
  };
}

/**
 * Learned step size (Esser et al. 2020) behind a ReLU: v̂ = round(clip(v/s, 0, Q)) s, Q = 2^b - 1, s a parameter `name.step`. ∂v̂/∂s = round(v/s) - v/s inside, Q above, 0 below, times 1 / √(N Q) with N the activations
 * of a sample's batch; ∂v̂/∂v = 1 inside.
 * @param start s at the start; the paper's is 2 E|v| / √Q
 */
export function lsqActivation(name: string, bits: number, start = 0.1): Layer {
  const levels = 2 ** bits - 1;
  const parameter = `${name}.step`;
  return {
    name,
    initialize: () => ({ [parameter]: filled([1], start) }),
    limits: { [parameter]: ABOVE_ZERO },
    apply(x, parameters) {
      const g = 1 / Math.sqrt(x.size * levels);
      const s = required(parameters, parameter);
      // The value of s, g times its gradient (the paper's appendix A).
      const step = straightThrough(s.ref, s.mul(g));
      return roundSte(np.clip(x.div(step.ref), 0, levels)).mul(step);
    },
    write: (graph, x, tensors) => gridNodes(graph, name, x, required(tensors, parameter).data[0]!, levels),
  };
}

/**
 * WAGE's activations (Wu et al. 2018): Q(x, k) = clip(σ round(x / σ), -1 + σ, 1 - σ), σ = 2^(1-k), times 2^shift, straight through inside.
 */
export function wageActivation(name: string, bits: number, shift = 0): Layer {
  const step = 2 ** (shift + 1 - bits);
  const most = 2 ** (bits - 1) - 1;
  return {
    name,
    apply: (x) => roundSte(np.clip(x.div(step), -most, most)).mul(step),
    write(graph, x) {
      const end = most * step;
      const within = graph.add("clip", name, [x], { min: -end, max: end });
      return quantizeNode(graph, `${name}.codes`, within, { scale: step, zeroPoint: 0 });
    },
  };
}

export type SignGradient = "clipped" | "polynomial";

/**
 * ReActNet's sign (Liu et al. 2020): sign(x - a_c), a_c a parameter `name.shift` of each channel; the gradient is Bi-Real Net's polynomial (default) or the clipped one.
 */
export function shiftedSign(
  name: string,
  channels: number,
  { gradient = "polynomial" }: { readonly gradient?: SignGradient } = {},
): Layer {
  const shift = `${name}.shift`;
  const estimator = gradient === "polynomial" ? polynomial : clipped;
  return {
    name,
    initialize: () => ({ [shift]: filled([channels], 0) }),
    apply(x, parameters) {
      const moved = x.sub(required(parameters, shift));
      return estimator(np.where(moved.ref.greaterEqual(0), 1, -1), moved);
    },
    write(graph, x, tensors) {
      const moved = graph.add("sub", `${name}.sub`, [x, vector(graph, shift, required(tensors, shift))], {});
      return signNodes(graph, name, moved);
    },
  };
}

/** ReActNet's RPReLU (Liu et al. 2020): x - γ where above γ, β (x - γ) below, then + ζ; all three parameters of each channel. */
export function shiftedPrelu(name: string, channels: number): Layer {
  const [gamma, beta, zeta] = [`${name}.gamma`, `${name}.beta`, `${name}.zeta`];
  return {
    name,
    initialize: () => ({
      [gamma]: filled([channels], 0),
      [beta]: filled([channels], 0.25),
      [zeta]: filled([channels], 0),
    }),
    apply(x, parameters) {
      const moved = x.sub(required(parameters, gamma));
      const below = np.minimum(moved.ref, 0).mul(required(parameters, beta));
      return np.maximum(moved, 0).add(below).add(required(parameters, zeta));
    },
    write(graph, x, tensors) {
      const constant = (of: string) => vector(graph, of, required(tensors, of));
      const moved = graph.add("sub", `${name}.sub`, [x, constant(gamma)], {});
      const above = graph.add("clip", `${name}.above`, [moved], { min: 0, max: Number.POSITIVE_INFINITY });
      const low = graph.add("clip", `${name}.low`, [moved], { min: Number.NEGATIVE_INFINITY, max: 0 });
      const below = graph.add("mul", `${name}.below`, [low, constant(beta)], {});
      const sum = graph.add("add", `${name}.sum`, [above, below], {});
      return graph.add("add", name, [sum, constant(zeta)], {});
    },
  };
}

/**
 * ABC-Net's activations (Lin, Zhao, Pan 2017): Σ_i β_i h(x + v_i), h(x) = sign(x - 1/2) of ±1, +1 at 1/2; shifts v (`name.shift`) and scales β (`name.scale`) parameters. The derivative of h is the indicator of [0, 1]: 1 there, else 0.
 * @param bases M; shifts start spread over -1/2..1/2
 */
export function abcActivation(name: string, bases: number): Layer {
  const [shift, scale] = [`${name}.shift`, `${name}.scale`];
  const spread = Float32Array.from({ length: bases }, (_, i) => (bases === 1 ? 0 : i / (bases - 1) - 0.5));
  return {
    name,
    initialize: () => ({ [shift]: { shape: [bases], data: spread }, [scale]: filled([bases], 1 / bases) }),
    apply(x, parameters) {
      const [v, beta] = [required(parameters, shift), required(parameters, scale)];
      const terms = Array.from({ length: bases }, (_, i) => {
        // One addition, as in the Graph, so that both round alike.
        const moved = x.ref.add(v.ref.slice(i).sub(0.5));
        const hard = np.where(moved.ref.greaterEqual(0), 1, -1);
        return straightThrough(hard, np.clip(moved, -0.5, 0.5)).mul(beta.ref.slice(i));
      });
      for (const array of [x, v, beta]) array.dispose();
      return terms.reduce((sum, term) => sum.add(term));
    },
    write(graph, x, tensors) {
      const terms = Array.from({ length: bases }, (_, i) => {
        const by = vector(graph, `${shift}.${i}`, filled([1], required(tensors, shift).data[i]! - 0.5));
        const moved = graph.add("add", `${name}.${i}.add`, [x, by], {});
        const sign = signNodes(graph, `${name}.${i}`, moved);
        return graph.add(
          "mul",
          `${name}.${i}.mul`,
          [sign, vector(graph, `${scale}.${i}`, filled([1], required(tensors, scale).data[i]!))],
          {},
        );
      });
      return terms.reduce((sum, term, i) => graph.add("add", `${name}.sum${i}`, [sum, term], {}));
    },
  };
}

/**
 * XNOR-Net's scale of activations (Rastegari et al. 2016, section 3.2): K = A * k, A = mean |x| over channels, k = 1/(w h) of a `size`² window; the product of signs is multiplied by K. This is K of x [N, H, W, C] -> [N, H, W, 1],
 * border 0. Takes x.
 */
export function xnorScale(x: np.Array, size: number): np.Array {
  const magnitude = np.absolute(x).mean(-1, { keepdims: true });
  const by = (size - 1) / 2;
  const padded = np.pad(magnitude, [
    [0, 0],
    [by, by],
    [by, by],
    [0, 0],
  ]);
  const [, tall = 0, wide = 0] = padded.shape;
  const [height, width] = [tall - size + 1, wide - size + 1];
  const terms = Array.from({ length: size * size }, (_, tap) => {
    const [row, column] = [Math.floor(tap / size), tap % size];
    return padded.ref.slice([], [row, row + height], [column, column + width], []);
  });
  padded.dispose();
  return terms.reduce((sum, term) => sum.add(term)).div(size * size);
}
