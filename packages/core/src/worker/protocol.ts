/** What travels between a page and its worker: structured clones only. */
import {
  DigestError,
  DisposedError,
  DTypeError,
  FormatError,
  GraphError,
  InputError,
  InstanceDeadError,
  IntegrityError,
  KernelError,
  LoadError,
  LowbitError,
  NotFiniteError,
  OutOfMemoryError,
  OutOfRangeError,
  ShapeError,
  ThreadsError,
  TierError,
  UnsupportedError,
} from "../errors.ts";
import type { BinaryCounting } from "../kernels/instance.ts";
import type { Tier } from "../kernels/tiers.ts";
import type { InputInfo, OutputInfo, Profile, TensorData } from "../runtime/types.ts";
import type { ByteSource } from "../source.ts";
import { Tensor, type TensorDType } from "../tensor.ts";

/** What a worker is told to load. */
export type RemoteSource = string | Blob | Uint8Array<ArrayBuffer>;

export interface RemoteOptions {
  readonly tier?: Tier | undefined;
  readonly binary?: BinaryCounting | undefined;
  readonly wasm?: string | Uint8Array<ArrayBuffer> | WebAssembly.Module | undefined;
  readonly threads?: number | undefined;
  readonly cache?: string | false | undefined;
  readonly integrity?: string | undefined;
}

/** A tensor without its class, or bare data. */
export type PlainEntry =
  | TensorData
  | { readonly dtype: TensorDType; readonly shape: readonly number[]; readonly data: TensorData };

export interface ModelDescription {
  readonly tier: Tier;
  readonly inputs: readonly InputInfo[];
  readonly outputs: readonly OutputInfo[];
  readonly labels: readonly string[];
}

/** A result, or the fields of an error: an Error's class and own fields do not survive a structured clone. */
export type Reply<T> = { readonly value: T } | { readonly error: ErrorFields };

export interface ErrorFields {
  readonly name: string;
  readonly message: string;
  readonly fields: Readonly<Record<string, unknown>>;
}

/** What the worker does; ids are the caller's. */
export interface ModelServer {
  load(
    id: number,
    source: RemoteSource,
    options: RemoteOptions,
    onProgress?: (loaded: number, total: number | undefined) => void,
  ): Promise<Reply<ModelDescription>>;
  abort(id: number): void;
  run(id: number, feed: Readonly<Record<string, PlainEntry>>): Promise<Reply<Readonly<Record<string, PlainEntry>>>>;
  profile(
    id: number,
    feed: Readonly<Record<string, PlainEntry>> | undefined,
    runs: number | undefined,
  ): Promise<Reply<Profile>>;
  dispose(id: number): void;
}

export const toPlain = (entry: Tensor | TensorData): PlainEntry =>
  entry instanceof Tensor ? { dtype: entry.dtype, shape: entry.shape, data: entry.data } : entry;

export const fromPlain = (entry: PlainEntry): Tensor | TensorData =>
  ArrayBuffer.isView(entry) ? entry : new Tensor(entry.dtype, entry.shape, entry.data);

/** The buffers behind entries, each once. */
export function buffersOf(entries: Iterable<PlainEntry>): ArrayBuffer[] {
  const buffers = new Set<ArrayBuffer>();
  for (const entry of entries) buffers.add((ArrayBuffer.isView(entry) ? entry : entry.data).buffer as ArrayBuffer);
  return [...buffers];
}

export function errorFields(error: unknown): ErrorFields {
  if (!(error instanceof Error)) return { name: "Error", message: String(error), fields: {} };
  const { name, message } = error;
  if (!(error instanceof LowbitError)) return { name, message, fields: {} };
  const { code, op, what } = error;
  const nodes = error instanceof UnsupportedError ? { nodes: error.nodes } : {};
  return {
    name,
    message,
    fields: { code, op, what, expected: cloneable(error.expected), got: cloneable(error.got), ...nodes },
  };
}

const cloneable = (value: unknown): unknown =>
  Array.isArray(value) || typeof value === "number" ? value : String(value);

/** By name: what `import *` would give, which bundlers keep as a table in every page's code. */
const classes: Readonly<Record<string, { readonly prototype: object } | undefined>> = {
  DTypeError,
  DigestError,
  DisposedError,
  FormatError,
  GraphError,
  InputError,
  InstanceDeadError,
  IntegrityError,
  KernelError,
  LoadError,
  LowbitError,
  NotFiniteError,
  OutOfMemoryError,
  OutOfRangeError,
  ShapeError,
  ThreadsError,
  TierError,
  UnsupportedError,
};

/** The error anew, of its own class where that is one of ours. */
export function reviveError({ name, message, fields }: ErrorFields): Error {
  const Class = Object.hasOwn(classes, name) ? classes[name] : undefined;
  const error: Error = new Error(message);
  if (Class) Object.setPrototypeOf(error, Class.prototype);
  const own = Object.entries({ name, ...fields }).map(([key, value]) => [key, { value, enumerable: true }]);
  return Object.defineProperties(error, Object.fromEntries(own)) as Error;
}

/** The result of a call, or what its error says: for the side that serves. */
export async function replying<T>(call: () => T | Promise<T>): Promise<Reply<T>> {
  try {
    return { value: await call() };
  } catch (error) {
    return { error: errorFields(error) };
  }
}

/** The value, or the error thrown as it was on the other side. */
export function unwrap<T>(reply: Reply<T>): T {
  if ("error" in reply) throw reviveError(reply.error);
  return reply.value;
}

/** A worker resolves relative URLs against itself: the page's base is added here. */
export const absolute = (url: string): string =>
  typeof document === "object" ? new URL(url, document.baseURI).href : url;

/** A source as it can be sent. */
export async function sendable(source: ByteSource): Promise<RemoteSource> {
  if (typeof source === "string") return absolute(source);
  if (source instanceof URL) return source.href;
  if (source instanceof Blob) return source;
  if (source instanceof ArrayBuffer) return new Uint8Array(source);
  if (ArrayBuffer.isView(source)) return new Uint8Array(source.buffer, source.byteOffset, source.byteLength);
  return new Uint8Array(await source.arrayBuffer());
}
