/**
 * What is going on, for people: a bar on stderr where that is a terminal, otherwise one plain line on stdout per
 * finished stage, and nothing at all beside `--json`.
 */

export interface Progress {
  /** Starts a stage and ends the one before. `total` is 0 where the end is not in sight. */
  stage(title: string, total?: number): void;
  /** Another title for the running stage, which goes on. */
  retitle(title: string): void;
  /** How much of the stage is done. */
  update(done: number): void;
  /** A line that stays. */
  note(line: string): void;
  /** Ends the last stage; safe to call twice. */
  end(): void;
}

export const SILENT: Progress = { stage: () => {}, retitle: () => {}, update: () => {}, note: () => {}, end: () => {} };

/** Plain lines: a stage appears, with its time, when it is over. */
function lines(): Progress {
  let title: string | undefined;
  let started = 0;
  const end = () => {
    if (title !== undefined) console.log(`${title}: ${((performance.now() - started) / 1000).toFixed(2)} s`);
    title = undefined;
  };
  return {
    stage(next) {
      end();
      title = next;
      started = performance.now();
    },
    retitle: () => {},
    update: () => {},
    note: (line) => console.log(line),
    end,
  };
}

const WIDTH = 28;
/** Redrawing more often than this costs more than it shows. */
const INTERVAL_MS = 50;

/** Below this much work done, what is left is a guess. */
const ENOUGH_MS = 1000;

/** `, 1:23 left`, where some of the work is done and some of the time has passed. */
export function timeLeft(share: number, elapsedMs: number): string {
  if (elapsedMs < ENOUGH_MS || share < 0.02 || share >= 1) return "";
  const seconds = Math.ceil(((elapsedMs / share) * (1 - share)) / 1000);
  const [minutes, rest] = [Math.floor(seconds / 60), String(seconds % 60).padStart(2, "0")];
  return `, ${minutes}:${rest} left`;
}

/**
 * A bar on stderr. Drawn when told and never by a timer: the work here keeps the event loop busy, so a timer would draw
 * late, and the terminal stays in its normal mode, so Ctrl-C stays a signal.
 */
function bar(): Progress {
  const output = process.stderr;
  let title: string | undefined;
  let total = 0;
  let started = 0;
  let drawn = 0;
  let current = 0;
  const draw = (done: number) => {
    drawn = performance.now();
    current = done;
    const share = Math.min(1, done / total);
    const filled = Math.round(share * WIDTH);
    const gauge =
      total > 0
        ? `  ${"█".repeat(filled)}${"░".repeat(WIDTH - filled)} ${Math.floor(share * 100)} %${timeLeft(share, drawn - started)}`
        : " …";
    output.write(`\r\u001b[2K${title}${gauge}`);
  };
  const end = () => {
    if (title !== undefined)
      output.write(`\r\u001b[2K${title}: ${((performance.now() - started) / 1000).toFixed(2)} s\n`);
    title = undefined;
  };
  return {
    stage(next, count = 0) {
      end();
      [title, total, started] = [next, count, performance.now()];
      draw(0);
    },
    retitle(next) {
      if (title === undefined) return;
      title = next;
      draw(current);
    },
    update(done) {
      if (title !== undefined && (performance.now() - drawn >= INTERVAL_MS || done >= total)) draw(done);
    },
    note(line) {
      output.write(`\r\u001b[2K${line}\n`);
      if (title !== undefined) draw(current);
    },
    end,
  };
}

/** The progress that suits where the output goes. */
export function createProgress(json: boolean | undefined): Progress {
  if (json) return SILENT;
  return process.stderr.isTTY ? bar() : lines();
}
