/** Numbers without a meaning, the same every time: a linear congruential generator (Numerical Recipes), seed 1. */

/** @returns {Uint8Array} `length` numbers 0 .. `below` - 1, at most 256 */
export function noise(length, below = 256) {
  let state = 1;
  return Uint8Array.from({ length }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return ((state >>> 16) * below) >>> 16;
  });
}
