import { np } from "../autograd.ts";
import { signSte, straightThrough } from "../estimators/ste.ts";
import { signNodes } from "../export/graph.ts";
import type { Layer } from "../layers/layer.ts";
import { filled } from "../values.ts";
import { exportLatent, unitSigns } from "./quantized.ts";
import type { Strategy } from "./strategy.ts";

export interface BitwiseOptions {
  /** Share of the run that is the first phase. Default 0.5. */
  readonly first?: number;
}

/** Name of the constant that is 0 in the first phase and 1 in the second. */
const PHASE = "bitwise.phase";

/**
 * Bitwise neural networks (Kim, Smaragdis 2016), two phases: first a real-valued network whose weights and activations are compressed by tanh, ŵ = tanh(w), so that they lie in -1..1 and gather at its ends;
 * then, from there, noisy backpropagation, the forward pass with sign(w) and signs of activations (`bitwiseSign`), the gradient that of tanh. Exported is sign(w).
 */
export function bitwise({ first = 0.5 }: BitwiseOptions = {}): Strategy {
  return {
    name: `bitwise:${first}`,
    weightsFor: (step, view) => ({ constants: { [PHASE]: filled([], step < first * view.steps ? 0 : 1) } }),
    weight(_slot, latent, _given, { constants }) {
      const soft = np.tanh(latent);
      return straightThrough(twoPhases(soft.ref, constants[PHASE]!.ref), soft);
    },
    export: (view) => exportLatent(view, unitSigns()),
  };
}

/** tanh in the first phase, its sign in the second. Takes both. */
const twoPhases = (soft: np.Array, phase: np.Array): np.Array =>
  np.where(phase.greater(0), np.where(soft.ref.greaterEqual(0), 1, -1), soft);

/** The activation of a bitwise network: tanh in the first phase, sign with the gradient of tanh in the second and in evaluation. */
export function bitwiseSign(name: string): Layer {
  return {
    name,
    apply(x, _parameters, { constants }) {
      const phase = constants?.[PHASE];
      if (phase === undefined) return signSte(x);
      const soft = np.tanh(x);
      return straightThrough(twoPhases(soft.ref, phase.ref), soft);
    },
    write: (graph, x) => signNodes(graph, name, x),
    freeze: () => [{ kind: "sign", name }],
  };
}
