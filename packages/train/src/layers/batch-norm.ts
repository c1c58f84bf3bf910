import { np } from "../autograd.ts";
import { vector } from "../export/graph.ts";
import { filled, type HostTensors } from "../values.ts";
import { type Layer, required } from "./layer.ts";

/** Added to the variance; PyTorch's default. */
export const EPSILON = 1e-5;

export interface BatchNormOptions {
  readonly channels: number;
  /**
   * Whether there is a trainable scale (default), or 1. In front of a sign a scale has no meaning but its own sign,
   * and without it every threshold points the same way: +1 at or above it.
   */
  readonly scale?: boolean;
}

/**
 * Batch normalization over all axes but the last (Ioffe, Szegedy 2015): (x - mean) / sqrt(variance + 1e-5) * scale + bias.
 * Batch statistics (variance without Bessel's correction) in training, running ones in evaluation.
 */
export function batchNorm(name: string, { channels, scale = true }: BatchNormOptions): Layer {
  const names = { scale: `${name}.scale`, bias: `${name}.bias`, mean: `${name}.mean`, variance: `${name}.variance` };
  const scaleOf = (tensors: HostTensors) => (scale ? required(tensors, names.scale) : filled([channels], 1));
  return {
    name,
    initialize: () => ({
      ...(scale ? { [names.scale]: filled([channels], 1) } : {}),
      [names.bias]: filled([channels], 0),
    }),
    initializeStatistics: () => ({ [names.mean]: filled([channels], 0), [names.variance]: filled([channels], 1) }),
    apply(x, parameters, context) {
      const axes = Array.from({ length: x.ndim - 1 }, (_, axis) => axis);
      const mean = context.training ? x.ref.mean(axes) : required(context.statistics, names.mean).ref;
      const centred = x.sub(mean.ref);
      const variance = context.training
        ? centred.ref.mul(centred.ref).mean(axes)
        : required(context.statistics, names.variance).ref;
      if (context.training) {
        context.batchStatistics[names.mean] = mean;
        context.batchStatistics[names.variance] = variance.ref;
      } else {
        mean.dispose();
      }
      const inverse = np.reciprocal(np.sqrt(variance.add(EPSILON)));
      const factor = scale ? inverse.mul(required(parameters, names.scale)) : inverse;
      return centred.mul(factor).add(required(parameters, names.bias));
    },
    write(graph, x, tensors) {
      const vectors = (["scale", "bias", "mean", "variance"] as const).map((part) =>
        vector(graph, names[part], part === "scale" ? scaleOf(tensors) : required(tensors, names[part])),
      );
      return graph.add("batchNorm", name, [x, ...vectors], { epsilon: EPSILON });
    },
    freeze: (tensors) => [
      {
        kind: "batchNorm",
        name,
        scale: scaleOf(tensors),
        bias: required(tensors, names.bias),
        mean: required(tensors, names.mean),
        variance: required(tensors, names.variance),
        epsilon: EPSILON,
      },
    ],
  };
}
