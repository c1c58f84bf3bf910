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
const backslash = 92;
const [openBrace, closeBrace, openBracket, closeBracket, comma, colon] = [123, 125, 91, 93, 44, 58];

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
          const key = keyOf(text.slice(i, end + 1), what);
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

/** Index of the closing quote; the text's end where there is none, which JSON.parse then refuses. */
function endOfString(text: string, start: number): number {
  // Quotes are searched for by the engine, several times as fast as character by character: headers are megabytes where tensors are many.
  for (let end = text.indexOf('"', start + 1); end >= 0; end = text.indexOf('"', end + 1)) {
    let escapes = end;
    while (text.charCodeAt(escapes - 1) === backslash) escapes--;
    if ((end - escapes) % 2 === 0) return end;
  }
  return text.length;
}

/** Two spellings of one key ("a", "\u0061") are the same key. */
function keyOf(literal: string, what: string): string {
  if (!literal.includes("\\")) return literal.slice(1, -1);
  try {
    return JSON.parse(literal) as string;
  } catch {
    throw new FormatError("header-syntax", what, "JSON", "a broken string");
  }
}
