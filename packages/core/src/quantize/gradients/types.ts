/**
 * What a gradient quantizer is: a vector to bytes on the wire, and back to the vector that the bytes stand for. Where the formula remembers what was lost, a
 * worker's {@link GradientState} keeps it.
 */
import { NotFiniteError, OutOfRangeError, ShapeError } from "../../errors.ts";
import type { Random } from "../random.ts";
import type { Paper } from "../types.ts";
import type { GradientLoops } from "./loops.ts";

/** A method of gradient compression. Its file says the bytes, one by one. */
export interface GradientQuantizer {
  /** Its spelling in tables, such as `qsgd:4`. */
  readonly scheme: string;
  /** Bits of a number's code, before codes of variable length. */
  readonly bits: number;
  /** Whether the mean over seeds of what is decoded is the gradient. */
  readonly unbiased: boolean;
  /** Whether what is lost is added to the next gradient. */
  readonly feedback: boolean;
  readonly paper: Paper;
  /** Called with finite numbers, at least one. */
  encode(gradient: Float32Array, state: GradientState): Uint8Array;
  /** @throws WireError where the bytes end too early or are not those of this method */
  decode(bytes: Uint8Array, loops: GradientLoops): Float32Array;
}

/** What one worker keeps from gradient to gradient. */
export class GradientState {
  readonly loops: GradientLoops;
  readonly random: Random;
  #residual: Float32Array | undefined;

  constructor(loops: GradientLoops, random: Random) {
    this.loops = loops;
    this.random = random;
  }

  /** What earlier messages have lost, zeros at first; not to be written to. Absent where nothing was encoded with feedback. */
  get residual(): Float32Array | undefined {
    return this.#residual;
  }

  /** The residual of a gradient of `length` numbers. @throws ShapeError where those before had another length */
  residualOf(op: string, length: number): Float32Array {
    const residual = this.#residual ?? new Float32Array(length);
    if (residual.length !== length) throw new ShapeError(op, "numbers of the gradient", residual.length, length);
    return residual;
  }

  /** Keeps what is lost from now on. @throws OutOfRangeError where the sums have left f32; what was kept before stays */
  keep(op: string, residual: Float32Array): void {
    if (this.loops.firstNonFinite(residual) >= 0)
      throw new OutOfRangeError(op, "gradient and residual", "finite sums", "an infinity or a NaN");
    this.#residual = residual;
  }
}

/** Refuses what no formula is defined for. */
export function checkGradient(op: string, gradient: Float32Array, loops: GradientLoops): void {
  if (gradient.length === 0 || gradient.length >= 2 ** 31)
    throw new ShapeError(op, "numbers of the gradient", "1 to 2147483647", gradient.length);
  const position = loops.firstNonFinite(gradient);
  if (position >= 0) throw new NotFiniteError(op, "gradient", position);
}
