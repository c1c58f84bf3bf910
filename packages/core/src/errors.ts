/**
 * Every error this package throws on purpose: a class to catch, a `code` to switch on, and the numbers.
 *
 * A message reads "op: what, expected X, got Y". `AbortError` is not here: an aborted call throws its signal's reason.
 */

/** Stable identifiers, one per way of failing. */
export type ErrorCode =
  | "shape"
  | "dtype"
  | "range"
  | "nan"
  | "input"
  | "disposed"
  | "instance-dead"
  | "out-of-memory"
  | "tier"
  | "threads"
  | "kernel"
  | "graph"
  | "unsupported"
  | "load"
  | "integrity"
  | "scheme"
  | "quantizer"
  | "digest"
  | "scheme"
  | "quantizer"
  | "wire-truncated"
  | "wire-corrupt"
  | FormatErrorCode;

/** Ways a packed file can lie. */
export type FormatErrorCode =
  | "file-empty"
  | "file-truncated"
  | "header-length"
  | "header-syntax"
  | "header-depth"
  | "header-type"
  | "tensor-name"
  | "tensor-duplicate"
  | "tensor-dtype"
  | "tensor-shape"
  | "tensor-offsets"
  | "tensor-overlap"
  | "tensor-hole"
  | "tensor-missing"
  | "metadata-missing"
  | "metadata-version"
  | "metadata-field";

/** What an error says beside its text. */
export interface ErrorDetails {
  /** Operator, function or file part that refused. */
  readonly op: string;
  /** The quantity that was wrong. */
  readonly what: string;
  readonly expected: unknown;
  readonly got: unknown;
  readonly cause?: unknown;
}

/** How numbers, shapes and names read in a message; anything long is cut, for a name may come from a hostile file. */
function show(value: unknown): string {
  const text = Array.isArray(value)
    ? `[${value.length > 16 ? `${value.slice(0, 16).join(", ")}, ...` : value.join(", ")}]`
    : String(value);
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must not reach a terminal
  const clean = text.replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]/g, "�");
  return clean.length > 200 ? `${clean.slice(0, 200)}...` : clean;
}

/** The base class: `error instanceof LowbitError` is true for every error below. */
export class LowbitError extends Error {
  override readonly name: string = "LowbitError";
  readonly code: ErrorCode;
  readonly op: string;
  readonly what: string;
  readonly expected: unknown;
  readonly got: unknown;

  constructor(code: ErrorCode, details: ErrorDetails) {
    const { op, what, expected, got, cause } = details;
    super(
      `${show(op)}: ${show(what)}, expected ${show(expected)}, got ${show(got)}`,
      cause === undefined ? {} : { cause },
    );
    this.code = code;
    this.op = op;
    this.what = what;
    this.expected = expected;
    this.got = got;
  }
}

/** A shape or a length does not fit. */
export class ShapeError extends LowbitError {
  override readonly name = "ShapeError";
  constructor(op: string, what: string, expected: unknown, got: unknown) {
    super("shape", { op, what, expected, got });
  }
}

/** An element type, or a typed array of the wrong kind. */
export class DTypeError extends LowbitError {
  override readonly name = "DTypeError";
  constructor(op: string, what: string, expected: unknown, got: unknown) {
    super("dtype", { op, what, expected, got });
  }
}

/** A number lies outside what the operation is defined for. */
export class OutOfRangeError extends LowbitError {
  override readonly name = "OutOfRangeError";
  constructor(op: string, what: string, expected: unknown, got: unknown) {
    super("range", { op, what, expected, got });
  }
}

/** A float is NaN or infinite where that has no meaning; `got` is the position of the first one. */
export class NotFiniteError extends LowbitError {
  override readonly name = "NotFiniteError";
  constructor(op: string, what: string, position: number) {
    super("nan", { op, what, expected: "finite numbers", got: `a NaN or an infinity at element ${position}` });
  }
}

/** An input or output was not given, or has no such name. */
export class InputError extends LowbitError {
  override readonly name = "InputError";
  constructor(op: string, what: string, expected: unknown, got: unknown) {
    super("input", { op, what, expected, got });
  }
}

/** Use after `dispose()`, or a second release of the same memory. */
export class DisposedError extends LowbitError {
  override readonly name = "DisposedError";
  constructor(op: string, what: string) {
    super("disposed", { op, what, expected: "a live object", got: "one that was disposed" });
  }
}

/** The WASM instance trapped earlier; `cause` is the trap. Load the model again. */
export class InstanceDeadError extends LowbitError {
  override readonly name = "InstanceDeadError";
  constructor(op: string, cause: unknown) {
    super("instance-dead", { op, what: "WASM instance", expected: "a live instance", got: `a trap: ${cause}`, cause });
  }
}

/** WASM memory is exhausted; `expected` and `got` are bytes. */
export class OutOfMemoryError extends LowbitError {
  override readonly name = "OutOfMemoryError";
  constructor(op: string, requested: number, inUse?: number) {
    const used = inUse === undefined ? "" : `, with ${inUse} bytes in use`;
    super("out-of-memory", { op, what: "WASM memory", expected: `${requested} more bytes`, got: `none left${used}` });
  }
}

/** The tier asked for does not run in this engine. */
export class TierError extends LowbitError {
  override readonly name = "TierError";
  constructor(tier: unknown, available: readonly string[], reason?: string) {
    const got = reason === undefined ? tier : `${tier} (${reason})`;
    super("tier", { op: "loadKernels", what: "tier", expected: `one of ${available.join(", ")}`, got });
  }
}

/** Threads were asked for where there can be none: `what` is missing, `expected` says what to set. */
export class ThreadsError extends LowbitError {
  override readonly name = "ThreadsError";
  constructor(op: string, what: string, expected: unknown, got: unknown, cause?: unknown) {
    super("threads", { op, what, expected, got, cause });
  }
}

/** A kernel refused a pointer, an alignment or a handle: an error in this library or in a hand-written call. */
export class KernelError extends LowbitError {
  override readonly name = "KernelError";
  constructor(op: string, what: string, expected: unknown, got: unknown) {
    super("kernel", { op, what, expected, got });
  }
}

/** A graph that came from outside breaks a rule of graph/validate.ts; `op` names the node or value. */
export class GraphError extends LowbitError {
  override readonly name = "GraphError";
  constructor(op: string, what: string, expected: unknown, got: unknown) {
    super("graph", { op, what, expected, got });
  }
}

/** Nodes for which no kernel exists: all of them at once. */
export class UnsupportedError extends LowbitError {
  override readonly name = "UnsupportedError";
  /** One line per node: its name, operator and what has no kernel. */
  readonly nodes: readonly string[];
  constructor(op: string, nodes: readonly string[], expected = "operators and types that have a kernel") {
    super("unsupported", { op, what: "nodes without a kernel", expected, got: nodes.join("; ") });
    this.nodes = nodes;
  }
}

/** A file or a URL could not be read. */
export class LoadError extends LowbitError {
  override readonly name = "LoadError";
  constructor(op: string, what: string, expected: unknown, got: unknown, cause?: unknown) {
    super("load", { op, what, expected, got, ...(cause === undefined ? {} : { cause }) });
  }
}

/** The bytes do not have the digest that the caller asked for. */
export class IntegrityError extends LowbitError {
  override readonly name = "IntegrityError";
  constructor(op: string, what: string, expected: unknown, got: unknown) {
    super("integrity", { op, what, expected, got });
  }
}

/** The file does not have the digests that it says it has: it was damaged. */
export class DigestError extends LowbitError {
  override readonly name = "DigestError";
  constructor(what: string, expected: string, got: string) {
    super("digest", { op: "readPacked", what: `SHA-256 of ${what}`, expected, got });
  }
}

/** A packed or safetensors file breaks the format; `code` says in which way. */
export class FormatError extends LowbitError {
  override readonly name = "FormatError";
  constructor(code: FormatErrorCode, what: string, expected: unknown, got: unknown) {
    super(code, { op: "safetensors", what, expected, got });
  }
}
