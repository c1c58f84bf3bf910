/** Between two tasks of the host: handlers of signals, clicks and timers run there, and a loop over kernels is one long task. */

/** Apart from each other by this much, breaths cost nothing that could be measured. */
const EVERY_MS = 50;

let last = 0;

/**
 * Where work that takes a signal may end: lets the host run its handlers, at most every 50 ms, so that somebody can abort.
 * @throws the signal's reason
 */
export async function breathe(signal: AbortSignal | undefined): Promise<void> {
  if (signal === undefined) return;
  signal.throwIfAborted();
  if (performance.now() - last < EVERY_MS) return;
  await new Promise((resolve) => setTimeout(resolve));
  last = performance.now();
  signal.throwIfAborted();
}
