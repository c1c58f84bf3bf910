import type { np } from "../autograd.ts";
import { filled, type HostTensor, type HostTensors } from "../values.ts";
import { rowsIn, type Scope } from "./strategy.ts";

const TARGET = "target/";
const STRENGTH = "strength";

/** The pull that ADMM and LC have in common: μ/2 Σ ‖w - target‖² over slots. */
export const pullTowards = {
  /** @param targets by slot, in the core's layout */
  constants: (targets: HostTensors, strength: number): Record<string, HostTensor> => ({
    [STRENGTH]: filled([], strength),
    ...Object.fromEntries(Object.entries(targets).map(([name, target]) => [`${TARGET}${name}`, target])),
  }),
  penalty(scope: Scope): np.Array {
    const distances = Object.entries(scope.constants)
      .filter(([name]) => name.startsWith(TARGET))
      .map(([name, target]) => {
        const apart = rowsIn(scope, name.slice(TARGET.length)).sub(target.ref);
        return apart.ref.mul(apart).sum();
      });
    return distances.reduce((sum, d) => sum.add(d)).mul(scope.constants[STRENGTH]!.ref.div(2));
  },
};

/** Σ (x - y)², y 0 where absent. */
export const distance = (x: Float32Array, y?: Float32Array): number =>
  x.reduce((sum, value, i) => sum + (value - (y?.[i] ?? 0)) ** 2, 0);
