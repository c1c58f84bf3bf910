/**
 * Images per second of several engines in one run. Rounds are interleaved: every engine does the same batch before any
 * does the next, in an order that rotates, so that a slow second of a shared machine falls on all of them.
 */

/** @param {readonly number[]} values */
export function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/**
 * @param {readonly { name: string, run: (x: Float32Array) => unknown }[]} engines run one batch each
 * @param {{ batch: (round: number) => Float32Array, batchSize: number, rounds: number, budgetMs: number }} options
 *   rounds after two for warming up; measuring stops early at budgetMs, but not before five rounds
 * @returns {Promise<{ rates: Map<string, number>, rounds: number }>} images per second by name, from the median round
 */
export async function measure(engines, { batch, batchSize, rounds, budgetMs }) {
  /** @type {number[][]} */
  const times = engines.map(() => []);
  const started = performance.now();
  let round = -2;
  for (; round < rounds; round++) {
    const x = batch(round + 2);
    for (let turn = 0; turn < engines.length; turn++) {
      const index = (turn + round + 2) % engines.length;
      const before = performance.now();
      await engines[index].run(x);
      if (round >= 0) times[index].push(performance.now() - before);
    }
    if (round >= 4 && performance.now() - started > budgetMs) break;
  }
  return {
    rates: new Map(engines.map((engine, i) => [engine.name, (batchSize * 1000) / median(times[i])])),
    rounds: times[0].length,
  };
}
