/** Random Hadamard rotations, which spread outliers over all weights of a row. */
import { ShapeError } from "../../errors.ts";
import type { KernelInstance } from "../../kernels/instance.ts";
import { innerLoops } from "../engine.ts";
import type { Method } from "../method.ts";
import { QUIP_SHARP } from "../papers.ts";
import { quantize } from "../quantize.ts";
import { Random } from "../random.ts";
import { uniform } from "../rounding/uniform.ts";
import type { FloatTensor } from "../types.ts";
import { matrixOf } from "../weights.ts";

/** An orthogonal matrix Q = diag of blocks H D / sqrt(size), H Sylvester's Hadamard matrix, D random signs. */
export interface Rotation {
  readonly columns: number;
  /** The largest power of two that divides the columns; 1 turns nothing but signs. */
  readonly size: number;
  /** 1 where D is -1. */
  readonly signs: Uint8Array;
}

/** The rotation of a seed. @throws ShapeError unless there is a column */
export function hadamardRotation(columns: number, seed = 0): Rotation {
  if (!(Number.isInteger(columns) && columns >= 1 && columns < 2 ** 31))
    throw new ShapeError("hadamardRotation", "columns", "1..2^31 - 1", columns);
  const random = new Random(seed);
  const signs = Uint8Array.from({ length: columns }, () => random.below(2));
  return { columns, size: columns & -columns, signs };
}

/**
 * Rows times Qᵀ (or, `inverse`, times Q): weights W → W Qᵀ and activations x → Q x, after which (W Qᵀ)(Q x) = W x, to the rounding of f32. As QuIP# and QuaRot do it: a row of
 * rotated weights is near to normal whatever it was, |w| <= ‖row‖ sqrt(2 log(2 K / δ) / K) with probability 1 - δ, which a uniform grid serves better. log₂(size) additions a weight.
 *
 * The activations have to be rotated at run time, or by the weights of the layer before where nothing but linear operations lies between; no pass of `lowbit quantize` does it.
 * @returns a new array, shaped as the matrix
 * @throws ShapeError where the rotation has another number of columns
 */
export async function rotateRows(
  { shape, data }: FloatTensor,
  { columns, size, signs }: Rotation,
  { inverse = false, kernels }: { readonly inverse?: boolean; readonly kernels?: KernelInstance } = {},
): Promise<Float32Array> {
  const matrix = matrixOf(shape);
  if (matrix.columns !== columns) throw new ShapeError("rotateRows", "columns", columns, matrix.columns);
  const { solver } = await innerLoops(kernels);
  return solver.hadamard(data, columns, size, signs, inverse);
}

export const hadamardMethod: Method = {
  method: "Hadamard rotation with random signs",
  section: "since 2018",
  file: "calibrated/hadamard.ts",
  paper: QUIP_SHARP,
  published: "orthogonal: Q Qᵀ = 1; a weight beyond sqrt(2 log(2 K / δ) / K) of its row's norm has probability δ",
  laws: ["orthogonal", "its inverse undoes it", "outliers shrink"],
  kernel: "that of the scheme behind it",
  async measure({ weights }) {
    const rotation = hadamardRotation(matrixOf(weights.shape).columns);
    const rotated = await rotateRows(weights, rotation);
    const by = uniform({ bits: 4 });
    const [plain, turned] = [await quantize(weights, by), await quantize({ shape: weights.shape, data: rotated }, by)];
    const figure = (relativeMse: number): string => relativeMse.toPrecision(3);
    return `relative MSE of int4 ${figure(plain.error.relativeMse)} → ${figure(turned.error.relativeMse)} (blocks of ${rotation.size})`;
  },
};
