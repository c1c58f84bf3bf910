/** The error function by its series (Abramowitz and Stegun 7.1.6), for oracles: full precision where |x| is below 6, and ±1 beyond. */
export function erfOf(x: number, exp: (x: number) => number): number {
  if (Math.abs(x) > 6) return Math.sign(x);
  // 2 / sqrt(pi) exp(-x^2) times the sum of 2^n x^(2n+1) / (2n+1)!!, of which no term has another sign.
  let term = x;
  let sum = x;
  for (let n = 1; n < 200; n++) {
    term *= (2 * x * x) / (2 * n + 1);
    sum += term;
  }
  return (2 / Math.sqrt(Math.PI)) * exp(-x * x) * sum;
}
