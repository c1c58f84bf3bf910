import type { Layer } from "./layers/layer.ts";
import type { Pruning } from "./pruning.ts";

/** Everything that decides a training run, but for the data and the seed. */
export interface Recipe {
  /** File name of its model: `<data>-<net>-<scheme>`. */
  readonly name: string;
  /** One sentence for people. */
  readonly description: string;
  /** The network, layer by layer. */
  readonly layers: () => Layer[];
  readonly epochs: number;
  readonly batch: number;
  /** Adam's learning rate after the warm-up; it falls linearly to 0. */
  readonly peakRate: number;
  /** Steps of warm-up. */
  readonly warmup: number;
  /** Augmentation: images are moved by up to so many pixels. */
  readonly shift: number;
  /** Weights that become 0 on the way; absent: none. */
  readonly pruning?: Pruning;
}
