/** From the five numbers that a kernel leaves behind to a named error. */
import { KernelError, type LowbitError, OutOfMemoryError, OutOfRangeError, ShapeError } from "../errors.ts";
import { kernelErrorCodes, kernelOperators, kernelQuantities } from "../generated/kernel-words.ts";

/** @param block i32 [5]: code, operator, what, expected, got */
export function kernelError(status: number, block: Int32Array): LowbitError {
  const [code = -status, operator = 0, quantity = 0, expected = 0, got = 0] = block;
  const op = kernelOperators[operator] ?? `operator ${operator}`;
  const what = kernelQuantities[quantity] ?? `quantity ${quantity}`;
  const kind = kernelErrorCodes[code];
  switch (kind) {
    case "shape":
      return new ShapeError(op, what, expected, got);
    case "accumulator":
      // The block holds 32 bits, which are what the sum does not fit.
      return new OutOfRangeError(op, what, "a sum that its accumulator holds", "a larger one");
    case "range":
      return new OutOfRangeError(op, what, expected, got);
    case "memory":
      return new OutOfMemoryError(op, got);
    default:
      return new KernelError(op, `${what} (${kind ?? `code ${code}`})`, expected, got);
  }
}
