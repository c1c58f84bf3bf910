// Engines on the clock in one process, in turns, so that a slow second of a shared machine falls on all of them: what each takes for a run is the median of its turns.
import { median } from "../median.mjs";

/** Timed turns of each engine, after as many calls that are not counted as fit into the same time. */
export const TURNS = 61;
/** A turn of a small batch repeats the run until it is about this long. */
const TURN_MS = 4;
const WARM_UP_MS = 300;

/**
 * @template T
 * @param {readonly (() => Promise<T>)[]} engines each does the same work
 * @returns {Promise<readonly { ms: number, result: T }[]>} milliseconds of a run, and what it gave
 */
export async function inTurns(engines) {
  const racing = [];
  for (const run of engines) {
    const since = performance.now();
    let [calls, result] = [0, undefined];
    for (; performance.now() - since < WARM_UP_MS; calls++) result = await run();
    racing.push({ run, result, repeat: Math.max(1, Math.round((TURN_MS * calls) / WARM_UP_MS)), times: [] });
  }
  for (let turn = 0; turn < TURNS; turn++) {
    for (const engine of turn % 2 ? [...racing].reverse() : racing) {
      const since = performance.now();
      for (let i = 0; i < engine.repeat; i++) await engine.run();
      engine.times.push((performance.now() - since) / engine.repeat);
    }
  }
  return racing.map(({ times, result }) => ({ ms: median(times), result }));
}
