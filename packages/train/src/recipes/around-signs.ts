import { sign } from "../layers/activations.ts";
import type { Layer } from "../layers/layer.ts";
import { residual } from "../layers/residual.ts";

/** Layers with a shortcut around them where activations are signs (Bi-Real net, Liu et al. 2018), so that the sums that a sign loses reach the next one; elsewhere as they are. */
export const aroundSigns = (activation: (name: string) => Layer, name: string, layers: readonly Layer[]): Layer[] =>
  activation === sign ? [residual(name, layers)] : [...layers];
