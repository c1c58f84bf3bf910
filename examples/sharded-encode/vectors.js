// Seeded vectors in place of a store of yours: any process can make any range of them, and every engine makes the same.

const CLUSTERS = 4096;

/** The finalizer of MurmurHash3: 32 bits, each of which depends on all of h. */
function mix(h) {
  let x = h ^ (h >>> 16);
  x = Math.imul(x, 0x85ebca6b);
  x ^= x >>> 13;
  x = Math.imul(x, 0xc2b2ae35);
  return (x ^ (x >>> 16)) >>> 0;
}

/** Uniform in [-1, 1). */
const uniform = (h) => mix(h) / 2 ** 31 - 1;

/**
 * Vectors `from` .. `to` - 1, f32 [to - from, dimension]: one of 4,096 centres, uniform in the cube, and a noise of half that size.
 */
export function vectors(from, to, { dimension, seed }) {
  const data = new Float32Array((to - from) * dimension);
  let at = 0;
  for (let i = from; i < to; i++) {
    const centre = Math.imul(mix(seed ^ i) % CLUSTERS, dimension);
    const noise = Math.imul(mix(seed + i), 0x9e3779b1);
    for (let j = 0; j < dimension; j++) data[at++] = uniform(seed + centre + j) + 0.5 * uniform(noise + j);
  }
  return { shape: [to - from, dimension], data };
}
