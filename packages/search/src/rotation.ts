/** Random rotations, for codes whose error is over random rotations (RaBitQ). */
import { Random } from "lowbit/quantize";

/**
 * A random orthogonal matrix, f32 [D, D] row-major: rows of sums of twelve uniform numbers (nearly normal, by additions alone, so the same in every engine), made orthogonal by
 * Gram-Schmidt, each twice. Takes D³ steps: 0.2 s for D = 384.
 */
export function randomRotation(dimension: number, seed: number): Float32Array {
  const random = new Random(seed);
  const rows: Float64Array[] = [];
  const near = (): number => {
    let sum = -6;
    for (let i = 0; i < 12; i++) sum += random.uniform();
    return sum;
  };
  for (let i = 0; i < dimension; i++) {
    const row = Float64Array.from({ length: dimension }, near);
    for (let pass = 0; pass < 2; pass++)
      for (const other of rows) {
        let product = 0;
        for (let j = 0; j < dimension; j++) product += row[j]! * other[j]!;
        for (let j = 0; j < dimension; j++) row[j]! -= product * other[j]!;
      }
    let squares = 0;
    for (const x of row) squares += x * x;
    const length = Math.sqrt(squares);
    rows.push(row.map((x) => x / length));
  }
  const rotation = new Float32Array(dimension * dimension);
  for (const [i, row] of rows.entries()) rotation.set(row, i * dimension);
  return rotation;
}
