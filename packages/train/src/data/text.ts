import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { DataError } from "../errors.ts";
import { Random } from "../random.ts";
import type { Batch, Dataset } from "./dataset.ts";

/** A text as numbers of its characters, in the order of their code points. */
export interface Text {
  readonly tokens: Uint8Array;
  /** The character of each number. */
  readonly alphabet: readonly string[];
}

/** Reads a text of at most 256 different characters; those of a folder: `input.txt`. @throws DataError */
export async function readText(path: string): Promise<Text> {
  const file = path.endsWith(".txt") ? path : join(path, "input.txt");
  let content: string;
  try {
    content = await readFile(file, "utf8");
  } catch (cause) {
    throw new DataError(`${file}: cannot be read`, { cause });
  }
  return textOf(content, file);
}

/** @throws DataError for a text of more than 256 different characters */
export function textOf(content: string, source = "text"): Text {
  const characters = [...content];
  const alphabet = [...new Set(characters)].sort();
  if (alphabet.length === 0 || alphabet.length > 256)
    throw new DataError(`${source}: expected 1 to 256 different characters, got ${alphabet.length}`);
  const numbers = new Map(alphabet.map((character, i) => [character, i]));
  return { tokens: Uint8Array.from(characters, (character) => numbers.get(character)!), alphabet };
}

/** The part [from, to) of a text, shares of its length. */
export function part({ tokens, alphabet }: Text, from: number, to: number): Text {
  const at = (share: number) => Math.floor(share * tokens.length);
  return { tokens: tokens.subarray(at(from), at(to)), alphabet };
}

/** Purpose of the generator that orders the windows of an epoch. */
const EPOCH = 1;

/**
 * Windows of `length` characters, x [n, length] of token numbers and labels [n, length, alphabet], the characters that follow. An epoch has each character about once: windows side by side from a random offset.
 * @throws DataError where the text has no window
 */
export function textDataset({ tokens, alphabet }: Text, length: number): Dataset {
  const count = Math.floor((tokens.length - 1) / length);
  if (count < 1) throw new DataError(`text: expected at least ${length + 1} characters, got ${tokens.length}`);
  const windows = (starts: readonly number[]): Batch => {
    const x = new Float32Array(starts.length * length);
    const labels = new Float32Array(starts.length * length * alphabet.length);
    for (const [row, start] of starts.entries())
      for (let t = 0; t < length; t++) {
        x[row * length + t] = tokens[start + t]!;
        labels[(row * length + t) * alphabet.length + tokens[start + t + 1]!] = 1;
      }
    return {
      x: { shape: [starts.length, length], data: x },
      labels: { shape: [starts.length, length, alphabet.length], data: labels },
    };
  };
  return {
    count,
    labels: tokens.subarray(1, 1 + count * length),
    *epoch({ batch, seed, epoch }) {
      const random = new Random(seed, EPOCH, epoch);
      const spare = tokens.length - 1 - count * length;
      const offset = random.integer(spare + 1);
      const order = random.permutation(count);
      for (let start = 0; start + batch <= count; start += batch)
        yield windows(Array.from(order.subarray(start, start + batch), (i) => offset + i * length));
    },
    range: (from, to) => windows(Array.from({ length: to - from }, (_, i) => (from + i) * length)).x,
  };
}
