/** How far a long step is: a line that is drawn over in a terminal, one line every ten seconds elsewhere. */
const PLAIN_MS = 10_000;
const DRAWN_MS = 100;
/** Below this much work done, what is left is a guess. */
const ENOUGH_MS = 2_000;

const clock = (ms: number): string => {
  const seconds = Math.round(ms / 1000);
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
};

/** @returns what to call with how much is done: the time left follows from what is done since the first call */
export function progressOf(title: string): (done: number, all: number) => void {
  const { isTTY } = process.stderr;
  let first: { at: number; done: number } | undefined;
  let shown = 0;
  return (done, all) => {
    const now = performance.now();
    first ??= { at: now, done };
    const ended = done >= all;
    if (!ended && now - shown < (isTTY ? DRAWN_MS : PLAIN_MS)) return;
    shown = now;
    const gone = now - first.at;
    const left = done > first.done && gone > ENOUGH_MS ? (gone / (done - first.done)) * (all - done) : undefined;
    const time = ended ? `, ${clock(gone)}` : left === undefined ? "" : `, ${clock(left)} left`;
    const line = `${title}: ${done.toLocaleString("en")} of ${all.toLocaleString("en")} (${Math.floor((100 * done) / all)} %${time})`;
    process.stderr.write(isTTY ? `\r\u001b[2K${line}${ended ? "\n" : ""}` : `${line}\n`);
  };
}
