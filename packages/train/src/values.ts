import { np } from "./autograd.ts";

/** A float32 tensor outside the training engine: what checkpoints hold and exporters read. Row-major. */
export interface HostTensor {
  readonly shape: readonly number[];
  readonly data: Float32Array;
}

/** Tensors by full name, `layer.parameter`. */
export type HostTensors = Readonly<Record<string, HostTensor>>;

/** Arrays of the training engine by full name. jax-js moves arrays: each use but the last needs `.ref`. */
export type Arrays = Record<string, np.Array>;

/** A tensor of one value. */
export function filled(shape: readonly number[], value: number): HostTensor {
  return { shape, data: new Float32Array(elementCount(shape)).fill(value) };
}

export function elementCount(shape: readonly number[]): number {
  return shape.reduce((product, size) => product * size, 1);
}

export function toArray(tensor: HostTensor): np.Array {
  return np.array(tensor.data as Float32Array<ArrayBuffer>, { shape: [...tensor.shape], dtype: np.float32 });
}

export function toArrays(tensors: HostTensors): Arrays {
  return Object.fromEntries(Object.entries(tensors).map(([name, tensor]) => [name, toArray(tensor)]));
}

/** Copies one array out of the engine. Takes it. */
export function toHostTensor(array: np.Array): HostTensor {
  const { shape } = array;
  const data = array.dataSync();
  if (!(data instanceof Float32Array)) throw new TypeError(`expected float32, got ${data.constructor.name}`);
  return { shape, data };
}

/** Copies out of the engine; the arrays stay alive. */
export function toHost(arrays: Readonly<Arrays>): Record<string, HostTensor> {
  return Object.fromEntries(
    Object.entries(arrays).map(([name, array]) => {
      const data = array.ref.dataSync();
      if (!(data instanceof Float32Array)) throw new TypeError(`${name}: expected float32, got ${array.dtype}`);
      return [name, { shape: array.shape, data }];
    }),
  );
}

/** Gives the memory of every array back. */
export function disposeAll(arrays: Readonly<Arrays>): void {
  for (const array of Object.values(arrays)) array.dispose();
}
