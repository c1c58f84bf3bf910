/** Named errors of `lowbit/quantize` beside those of `errors.ts`. */
import { LowbitError } from "../errors.ts";
import type { Law } from "./types.ts";

/** A scheme string that names no quantizer, or gives one an argument it does not take. */
export class SchemeError extends LowbitError {
  override readonly name = "SchemeError";
  constructor(scheme: string, what: string, expected: string) {
    super("scheme", { op: "parseScheme", what, expected, got: JSON.stringify(scheme) });
  }
}

/** A quantizer breaks a law that it declares; `law` names it. */
export class LawError extends LowbitError {
  override readonly name = "LawError";
  readonly law: Law;
  constructor(scheme: string, law: Law, expected: unknown, got: unknown) {
    super("quantizer", { op: `quantizer ${scheme}`, what: `law ${law}`, expected, got });
    this.law = law;
  }
}

/** A quantizer contradicts itself, or its formula returned what its traits do not allow: a fault in the quantizer. */
export class QuantizerError extends LowbitError {
  override readonly name = "QuantizerError";
  constructor(scheme: string, what: string, expected: unknown, got: unknown) {
    super("quantizer", { op: `quantizer ${scheme}`, what, expected, got });
  }
}

/** Bytes of a gradient that end too early (`code` is `wire-truncated`) or that no encoder of the method writes (`wire-corrupt`). */
export class WireError extends LowbitError {
  override readonly name = "WireError";
  constructor(op: string, code: "wire-truncated" | "wire-corrupt", what: string, expected: unknown, got: unknown) {
    super(code, { op, what, expected, got });
  }
}
