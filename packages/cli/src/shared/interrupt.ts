/** Ctrl-C as a signal that work can look at: what is running ends where it can, and the command says so. */

import { interrupted } from "./errors.ts";

/** Those that have heard none yet. Whoever hears the same Ctrl-C in the same turn finds them here still. */
const listening = new Set<Interrupt>();

/** Whether the next Ctrl-C, or the one that is being told, ends what is running in good order. */
export const isListenedTo = (): boolean => listening.size > 0;

/** Listens from its making until it is disposed of, to one Ctrl-C; after that it ends the process at once, as it does by itself. */
export class Interrupt implements Disposable {
  readonly #controller = new AbortController();
  readonly #listener = () => {
    this.#controller.abort(interrupted());
    setImmediate(() => listening.delete(this));
  };

  readonly #signals: readonly NodeJS.Signals[];

  /** @param signals of the system that end the work alike */
  constructor(signals: readonly NodeJS.Signals[] = ["SIGINT"]) {
    this.#signals = signals;
    for (const signal of signals) process.once(signal, this.#listener);
    listening.add(this);
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  [Symbol.dispose](): void {
    for (const signal of this.#signals) process.removeListener(signal, this.#listener);
    listening.delete(this);
  }
}
