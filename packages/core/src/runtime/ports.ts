/** The way of tensors into and out of WASM memory. */
import { DTypeError, InputError, NotFiniteError, ShapeError } from "../errors.ts";
import { bindShape, type Shape } from "../graph/shapes.ts";
import type { Graph } from "../graph/types.ts";
import { canonicalizeNaNs, countNaNs } from "../kernels/activations.ts";
import type { KernelInstance } from "../kernels/instance.ts";
import { arrayOf, kindOf, sizeOf, Tensor, type TensorDType } from "../tensor.ts";
import type { TensorData } from "./types.ts";

/** An input or output. */
export interface Port {
  readonly name: string;
  readonly dtype: TensorDType;
  readonly shape: Shape;
}

export function portsOf(graph: Graph, names: readonly string[]): Port[] {
  return names.map((name) => {
    const { dtype, shape } = graph.values.get(name)!;
    if (dtype === "bit" || dtype === "trit")
      throw new DTypeError("createModel", `dtype of "${name}" at the border`, Object.keys(arrayOf), dtype);
    return { name, dtype, shape };
  });
}

/** A feed's entry for `port`, its type checked. */
export function entryOf(op: string, feed: Readonly<Record<string, unknown>>, port: Port): Tensor | TensorData {
  const entry = Object.hasOwn(feed, port.name) ? feed[port.name] : undefined;
  if (entry === undefined) throw new InputError(op, "names", port.name, Object.keys(feed).join(", "));
  const Data = arrayOf[port.dtype];
  const tensor = entry instanceof Tensor;
  if (tensor && entry.dtype !== port.dtype)
    throw new DTypeError(op, `dtype of "${port.name}"`, port.dtype, entry.dtype);
  if (!tensor && !(entry instanceof Data))
    throw new DTypeError(op, `"${port.name}"`, `Tensor of ${port.dtype} or ${Data.name}`, kindOf(entry));
  return entry as Tensor | TensorData;
}

/** Refuses names that no port has. Called on every run, so it makes no closures. */
export function checkNames(op: string, given: Readonly<Record<string, unknown>>, ports: readonly Port[]): void {
  for (const name in given)
    if (Object.hasOwn(given, name) && !hasPort(ports, name))
      throw new InputError(op, "names", ports.map((port) => port.name).join(", "), name);
}

function hasPort(ports: readonly Port[], name: string): boolean {
  for (let i = 0; i < ports.length; i++) if (ports[i]!.name === name) return true;
  return false;
}

/** Binds the symbols of `port`'s shape by what was given. */
export function bindEntry(op: string, port: Port, entry: Tensor | TensorData, symbols: Map<string, number>): void {
  const actual = entry instanceof Tensor ? entry.shape : shapeOfData(op, port, entry.length, symbols);
  const axis = bindShape(port.shape, actual, symbols);
  if (axis >= 0) throw new ShapeError(op, `shape of "${port.name}"`, `[${port.shape.join(", ")}]`, actual);
  if (actual.some((size, i) => size === 0 && port.shape[i] !== 0))
    throw new ShapeError(op, `sizes of "${port.name}"`, "1 or more", actual);
}

/** The shape that a bare array of `length` elements has: one unknown dimension takes what is left. */
function shapeOfData(op: string, port: Port, length: number, symbols: ReadonlyMap<string, number>): number[] {
  const shape = port.shape.map((dim) => (typeof dim === "number" ? dim : (symbols.get(dim) ?? dim)));
  const open = new Set(shape.filter((dim) => typeof dim === "string"));
  const known = sizeOf(shape.filter((dim) => typeof dim === "number"));
  const [symbol] = open;
  const fits = open.size === 0 ? known === length : length > 0 && length % known === 0;
  const single = shape.filter((dim) => typeof dim === "string").length <= 1;
  if (!fits || !single) {
    const wanted = open.size === 0 ? known : single ? `a multiple of ${known}` : `a Tensor of shape [${port.shape}]`;
    throw new ShapeError(op, `elements of "${port.name}"`, wanted, length);
  }
  return shape.map((dim) => (typeof dim === "number" ? dim : dim === symbol ? length / known : 0));
}

/**
 * A view of one value's memory. It is kept only as long as the memory's buffer is the same object, which is looked at on
 * every use: growing the memory gives a new buffer and empties the old view.
 */
export class Window {
  readonly #instance: KernelInstance;
  readonly #dtype: TensorDType;
  readonly #pointer: number;
  readonly #length: number;
  #view: TensorData | undefined;

  constructor(instance: KernelInstance, dtype: TensorDType, pointer: number, length: number) {
    this.#instance = instance;
    this.#dtype = dtype;
    this.#pointer = pointer;
    this.#length = length;
  }

  #current(): TensorData {
    const { buffer } = this.#instance.exports.memory;
    if (this.#view?.buffer !== buffer)
      this.#view = new arrayOf[this.#dtype](buffer as ArrayBuffer, this.#pointer, this.#length);
    return this.#view!;
  }

  /** @throws NotFiniteError where a float is NaN */
  write(op: string, name: string, data: TensorData): void {
    (this.#current() as Float32Array).set(data as Float32Array);
    if (this.#dtype !== "f32" || countNaNs(this.#instance, this.#pointer, this.#length) === 0) return;
    throw new NotFiniteError(op, `"${name}"`, (data as Float32Array).findIndex(Number.isNaN));
  }

  /** NaNs come out as the canonical one, for engines differ in sign and payload. */
  read(target: TensorData): void {
    if (this.#dtype === "f32") canonicalizeNaNs(this.#instance, this.#pointer, this.#length);
    (target as Float32Array).set(this.#current() as Float32Array);
  }
}
