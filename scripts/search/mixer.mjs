/**
 * Vectors made from real ones: two of them, mixed, and some noise, so that each has neighbours of its own kind.
 * @param random a `Random` of lowbit/quantize @param {Float32Array} rows real ones, [n, d] @param noise width of the uniform noise of a coordinate
 * @returns the next so many of them
 */
export function mixer(random, rows, d, noise = 0.02) {
  const n = rows.length / d;
  return (count) => {
    const data = new Float32Array(count * d);
    for (let i = 0; i < count; i++) {
      const [a, b, t] = [random.below(n) * d, random.below(n) * d, 0.5 * random.uniform()];
      for (let j = 0; j < d; j++)
        data[i * d + j] = (1 - t) * rows[a + j] + t * rows[b + j] + noise * (random.uniform() - 0.5);
    }
    return { shape: [count, d], data };
  };
}
