/** Elements and blocks at places that indices name; see crates/kernels/src/gather. */
import type { KernelInstance } from "./instance.ts";
import { KernelObject, Parameters } from "./kernel-object.ts";

/** Blocks of the dense side along an axis, and how far apart they are in the data and in the indices. */
export interface GatherAxis {
  readonly count: number;
  readonly stride: number;
  readonly indexStride: number;
}

/** What one index counts: elements of an axis of the data, `stride` apart. */
export interface GatherCoordinate {
  readonly size: number;
  readonly stride: number;
}

export interface GatherOptions {
  /** Elements of the data. */
  readonly data: number;
  readonly indices: number;
  /** Elements of a block. */
  readonly block: number;
  /** Outermost first; at most 16. */
  readonly axes: readonly GatherAxis[];
  /** One an index of a block. */
  readonly coordinates: readonly GatherCoordinate[];
  /** Whether a block whose index lies beyond its axis is left out; absent: it is an error. */
  readonly skips?: boolean;
}

/** Types that `scatter` knows; where it only replaces, the bytes of an element decide. */
export const scatterTypes = [
  "f32",
  "f64",
  "int8",
  "uint8",
  "int16",
  "uint16",
  "int32",
  "uint32",
  "int64",
  "uint64",
] as const;

export type ScatterType = (typeof scatterTypes)[number];

/** What a new element does to the one that is there. */
export const scatterReductions = ["none", "add", "mul", "min", "max"] as const;

export type ScatterReduction = (typeof scatterReductions)[number];

export class Gather extends KernelObject {
  constructor(instance: KernelInstance, { data, indices, block, axes, coordinates, skips = false }: GatherOptions) {
    const parameters = new Parameters(instance).i32(skips ? 1 : 0, data, indices, block, axes.length);
    for (const { count, stride, indexStride } of axes) parameters.i32(count, stride, indexStride);
    parameters.i32(coordinates.length);
    for (const { size, stride } of coordinates) parameters.i32(size, stride);
    super(instance, parameters.call(instance.exports.gather_new));
  }

  /** @throws OutOfRangeError for an index beyond its axis */
  run(elementBytes: 1 | 2 | 4 | 8, indexBytes: 4 | 8, x: number, indices: number, y: number): void {
    this.instance.check(this.instance.exports.gather_run(this.handle, elementBytes, indexBytes, x, indices, y));
  }

  /**
   * The dense side at `updates` (where `one` is set, its one element for all) into the data at `y`, in order.
   * @throws OutOfRangeError for an index beyond its axis
   */
  scatter(
    type: ScatterType,
    reduction: ScatterReduction,
    indexBytes: 4 | 8,
    updates: number,
    one: boolean,
    indices: number,
    y: number,
  ): void {
    const { gather_scatter } = this.instance.exports;
    const [kind, how] = [scatterTypes.indexOf(type), scatterReductions.indexOf(reduction)];
    this.instance.check(gather_scatter(this.handle, kind, how, indexBytes, updates, one ? 1 : 0, indices, y));
  }
}
