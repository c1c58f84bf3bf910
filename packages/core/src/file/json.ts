/** JSON from outside: depth and duplicate keys are checked before it is parsed, which JSON.parse does for neither. */
import { FormatError } from "../errors.ts";
import type { Json } from "../graph/types.ts";

export type { Json } from "../graph/types.ts";

export interface JsonLimits {
  /** Nested arrays and objects. */
  readonly depth: number;
  /** Name of the text in errors. */
  readonly what: string;
}

/**
 * @throws FormatError `header-syntax`, `header-depth` or `tensor-duplicate`
 */
export function parseJson(text: string, { depth, what }: JsonLimits): Json {
  scan(text, depth, what);
  try {
    return JSON.parse(text) as Json;
  } catch (cause) {
    throw new FormatError("header-syntax", what, "JSON", (cause as Error).message);
  }
}

const quote = 34;
const openBrace = 123;
const closeBrace = 125;
const openBracket = 91;
const closeBracket = 93;
const comma = 44;
const colon = 58;

/** One pass over the characters: strings are skipped, brackets counted, keys of each object collected. */
function scan(text: string, limit: number, what: string): void {
  /** Keys of the open objects; undefined for an array. */
  const open: (Set<string> | undefined)[] = [];
  let isKey = false;
  for (let i = 0; i < text.length; i++) {
    switch (text.charCodeAt(i)) {
      case quote: {
        const end = endOfString(text, i);
        const keys = open.at(-1);
        if (isKey && keys) {
          const key = keyOf(text.slice(i, end + 1));
          if (keys.has(key)) throw new FormatError("tensor-duplicate", `key in ${what}`, "each key once", key);
          keys.add(key);
        }
        i = end;
        break;
      }
      case openBrace:
      case openBracket:
        if (open.length >= limit)
          throw new FormatError("header-depth", `nesting of ${what} (at most)`, limit, limit + 1);
        isKey = text.charCodeAt(i) === openBrace;
        open.push(isKey ? new Set() : undefined);
        break;
      case closeBrace:
      case closeBracket:
        open.pop();
        break;
      case comma:
        isKey = open.at(-1) !== undefined;
        break;
      case colon:
        isKey = false;
        break;
    }
  }
}

/** Index of the closing quote; beyond the text where there is none, which JSON.parse then refuses. */
function endOfString(text: string, end: number): number {
  // The engine finds quotes several times as fast as a loop does: headers are megabytes where tensors are many.
  for (let escapes = end - 1; (end - escapes) % 2; ) {
    escapes = end = text.indexOf('"', end + 1);
    while (text[escapes - 1] === "\\") escapes--;
  }
  // -1 is 2^32 - 1.
  return end >>> 0;
}

/** Two spellings of one key ("a", "\u0061") are the same key. */
function keyOf(literal: string): string {
  if (!literal.includes("\\")) return literal.slice(1, -1);
  try {
    return JSON.parse(literal) as string;
  } catch {
    // The whole text is refused for it.
    return literal;
  }
}
