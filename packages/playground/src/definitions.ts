/** Definitions as one text, a line each; a line is decoded when it is shown, so 117,000 of them are bytes and not objects. */

export interface Shown {
  /** n noun, v verb, a adjective, r adverb. */
  readonly pos: string;
  readonly words: readonly string[];
  readonly gloss: string;
}

export const writeDefinitions = (definitions: readonly Shown[]): string =>
  definitions.map(({ pos, words, gloss }) => `${pos}\t${words.join("|")}\t${gloss}\n`).join("");

export class Definitions {
  readonly #bytes: Uint8Array;
  /** Where each line begins, and the end. */
  readonly #starts: Uint32Array;
  readonly #decoder = new TextDecoder();

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    const starts = [0];
    for (let at = bytes.indexOf(10); at >= 0; at = bytes.indexOf(10, at + 1)) starts.push(at + 1);
    this.#starts = Uint32Array.from(starts);
  }

  get count(): number {
    return this.#starts.length - 1;
  }

  at(number: number): Shown {
    const line = this.#decoder.decode(this.#bytes.subarray(this.#starts[number], this.#starts[number + 1]! - 1));
    const [pos = "", words = "", gloss = ""] = line.split("\t");
    return { pos, words: words.split("|"), gloss };
  }
}
