/** What the float network gives each of its layers on the calibration samples, as rows of inputs for the schemes that look at them. */
import { createModel, type Graph, type NodeOf, type Tensor } from "lowbit";
import { type Calibration, Random } from "lowbit/quantize";
import type { Feed } from "./api.ts";
import { elementCount } from "./graph/constants.ts";
import type { Layer } from "./passes/channel-function.ts";

/** Rows of a layer's inputs, at most: spread over all samples and positions. GPTQ's paper takes 128 sequences of 2,048 for layers a hundred times as wide. */
export const MOST_ROWS = 2048;

/** Floats of inputs that are kept at once, 128 MB; layers are run in groups that fit (one layer always does). */
const MOST_FLOATS = 2 ** 25;

/**
 * Rows [samples, K] for one layer after another. A dense layer's rows are its inputs; a convolution's are the patches under its window, channels last as its weights have them,
 * zeros where there is padding. Of more than {@link MOST_ROWS} positions a seeded choice is made: one at random of every equal stretch. A grouped convolution's patches of all groups
 * are taken together, since its weights see each only its own: their statistics stand for every row.
 */
export class LayerInputs {
  readonly #graph: Graph;
  readonly #feeds: readonly Feed[];
  readonly #layers: readonly Layer[];
  #kept = new Map<Layer, Calibration>();
  #before: Promise<unknown> = Promise.resolve();

  /** @param layers that will be asked for, in that order; those that read f32 */
  constructor(graph: Graph, layers: readonly Layer[], feeds: readonly Feed[]) {
    this.#graph = graph;
    this.#layers = layers;
    this.#feeds = feeds;
  }

  /** One call after another, however many are made at a time: the runs of the network share what they find. */
  of(layer: Layer): Promise<Calibration> {
    const found = this.#before.then(() => this.#of(layer));
    this.#before = found.catch(() => {});
    return found;
  }

  async #of(layer: Layer): Promise<Calibration> {
    if (!this.#kept.has(layer)) this.#kept = await this.#collect(this.#groupFrom(layer));
    return this.#kept.get(layer)!;
  }

  /** The layer and those behind it whose inputs fit as well. */
  #groupFrom(layer: Layer): Layer[] {
    const group: Layer[] = [];
    let floats = 0;
    for (const next of this.#layers.slice(this.#layers.indexOf(layer))) {
      floats += MOST_ROWS * rowLength(this.#graph, next);
      if (group.length > 0 && floats > MOST_FLOATS) break;
      group.push(next);
    }
    return group;
  }

  async #collect(group: readonly Layer[]): Promise<Map<Layer, Calibration>> {
    const graph = this.#graph;
    const taps = [...new Set(group.map(({ inputs }) => inputs[0]!))].filter((name) => !graph.inputs.includes(name));
    using model = await createModel(graph, { taps });
    const collectors = group.map((layer) => new Collector(layer, rowLength(graph, layer), graph));
    const sizes = this.#feeds.map((feed) => Object.values(feed)[0]?.shape[0] ?? 1);
    const all = sizes.reduce((sum, size) => sum + size, 0);
    let before = 0;
    for (const [index, feed] of this.#feeds.entries()) {
      const outputs = await model.run(feed);
      const quota = share(before + sizes[index]!, all) - share(before, all);
      for (const collector of collectors) collector.take(outputs[collector.input] ?? feed[collector.input]!, quota);
      before += sizes[index]!;
    }
    return new Map(collectors.map((collector) => [collector.layer, collector.calibration()]));
  }
}

/** Rows that the first `samples` of `all` may give. */
const share = (samples: number, all: number): number => Math.floor((MOST_ROWS * samples) / all);

/** Weights of a row. */
function rowLength(graph: Graph, layer: Layer): number {
  const { shape } = graph.constants.get(layer.inputs[1]!)!;
  return elementCount(shape.slice(1));
}

/** The rows of one layer. */
class Collector {
  readonly layer: Layer;
  readonly input: string;
  readonly #length: number;
  readonly #channels: number;
  readonly #random = new Random(0);
  readonly #rows: Float32Array[] = [];

  constructor(layer: Layer, length: number, graph: Graph) {
    this.layer = layer;
    this.input = layer.inputs[0]!;
    this.#length = length;
    this.#channels = graph.constants.get(layer.inputs[1]!)!.shape.at(-1)!;
  }

  /** Chosen rows of one feed, `quota` at most. */
  take({ data, shape }: Tensor, quota: number): void {
    const x = data as Float32Array;
    const { layer } = this;
    if (layer.op === "dense") {
      for (const row of this.#choose(x.length / this.#length, quota))
        this.#rows.push(x.slice(row * this.#length, (row + 1) * this.#length));
      return;
    }
    const windows = windowsOf(layer, shape);
    for (const at of this.#choose(windows.count * layer.attributes.groups, quota))
      this.#rows.push(this.#patch(layer, x, shape, windows, at));
  }

  calibration(): Calibration {
    const inputs = new Float32Array(this.#rows.length * this.#length);
    for (const [index, row] of this.#rows.entries()) inputs.set(row, index * this.#length);
    return { samples: this.#rows.length, inputs };
  }

  #choose(count: number, quota: number): number[] {
    if (count <= quota) return Array.from({ length: count }, (_, at) => at);
    return Array.from({ length: quota }, (_, i) => Math.floor(((i + this.#random.uniform()) * count) / quota));
  }

  #patch(
    { attributes }: NodeOf<"conv2d">,
    x: Float32Array,
    [, height = 1, width = 1, channels = 1]: readonly number[],
    windows: Windows,
    at: number,
  ): Float32Array {
    const { kernel, strides, dilations, pads, groups } = attributes;
    const size = this.#channels;
    const group = at % groups;
    const place = Math.floor(at / groups);
    const column = place % windows.columns;
    const row = Math.floor(place / windows.columns) % windows.rows;
    const sample = Math.floor(place / (windows.columns * windows.rows));
    const patch = new Float32Array(this.#length);
    for (let ky = 0; ky < kernel[0]; ky++) {
      for (let kx = 0; kx < kernel[1]; kx++) {
        const y = row * strides[0] - pads[0] + ky * dilations[0];
        const left = column * strides[1] - pads[1] + kx * dilations[1];
        if (y < 0 || y >= height || left < 0 || left >= width) continue;
        const from = ((sample * height + y) * width + left) * channels + group * size;
        patch.set(x.subarray(from, from + size), (ky * kernel[1] + kx) * size);
      }
    }
    return patch;
  }
}

interface Windows {
  readonly rows: number;
  readonly columns: number;
  /** Of all samples. */
  readonly count: number;
}

/** Places of a convolution's window over x [N, H, W, C]. */
function windowsOf({ attributes }: NodeOf<"conv2d">, [samples = 1, height = 1, width = 1]: readonly number[]): Windows {
  const { kernel, strides, dilations, pads } = attributes;
  const places = (size: number, axis: 0 | 1): number =>
    Math.floor((size + pads[axis] + pads[axis + 2]! - dilations[axis] * (kernel[axis] - 1) - 1) / strides[axis]) + 1;
  const [rows, columns] = [places(height, 0), places(width, 1)];
  return { rows, columns, count: samples * rows * columns };
}
