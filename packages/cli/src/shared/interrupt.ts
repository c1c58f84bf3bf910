/** Ctrl-C as a signal that work can look at: what is running ends where it can, and the command says so. */

import { interrupted } from "./errors.ts";

/** Listens from its making until it is disposed of; after that Ctrl-C ends the process at once, as it does by itself. */
export class Interrupt implements Disposable {
  readonly #controller = new AbortController();
  readonly #listener = () => this.#controller.abort(interrupted());

  constructor() {
    process.once("SIGINT", this.#listener);
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  [Symbol.dispose](): void {
    process.removeListener("SIGINT", this.#listener);
  }
}
