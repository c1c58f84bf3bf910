import type { WeightSlot } from "../strategies/strategy.ts";
import type { Layer } from "./layer.ts";

/** y = x + f(x), f layer after layer: the shortcut of He et al. 2016. Shapes of x and f(x) are equal. */
export function residual(name: string, layers: readonly Layer[]): Layer {
  const slots: WeightSlot[] = layers.flatMap((layer) => layer.slots ?? []);
  return {
    name,
    slots,
    limits: Object.assign({}, ...layers.map((layer) => layer.limits ?? {})),
    initialize: (random) => Object.assign({}, ...layers.map((layer) => layer.initialize?.(random))),
    initializeStatistics: () => Object.assign({}, ...layers.map((layer) => layer.initializeStatistics?.())),
    apply: (x, parameters, context) =>
      layers.reduce((value, layer) => layer.apply(value, parameters, context), x.ref).add(x),
    write(graph, x, tensors, weightOf) {
      let value = x;
      for (const layer of layers) {
        if (layer.write === undefined) throw new Error(`${layer.name}: this layer has no form in a Graph`);
        value = layer.write(graph, value, tensors, weightOf);
      }
      return graph.add("add", name, [value, x], {});
    },
  };
}
