/** Texts to be found, from a file of lines. */
import { FileError } from "../shared/errors.ts";
import { readInput } from "../shared/files.ts";

export interface Documents {
  readonly texts: readonly string[];
  /** What comes back with a hit: the line's object. */
  readonly payloads: readonly Readonly<Record<string, never>>[];
  /** `id` of the objects, where they have one. */
  readonly ids?: readonly (string | number)[];
}

/**
 * A line of `.jsonl` or `.ndjson` is an object with a text in `field` and, in all of them or in none, an `id`, a text or a whole number. A line of any other file is a text.
 * Empty lines are left out.
 * @throws FileError with the line that is something else
 */
export async function readDocuments(path: string, field: string): Promise<Documents> {
  const bytes = await readInput(path);
  let lines: string[];
  try {
    lines = new TextDecoder("utf-8", { fatal: true }).decode(bytes).split(/\r?\n/);
  } catch {
    throw new FileError(path, "expected UTF-8 text");
  }
  const isJson = /\.(jsonl|ndjson)$/i.test(path);
  const [texts, payloads, ids]: [string[], Record<string, never>[], (string | number)[]] = [[], [], []];
  for (const [i, line] of lines.entries()) {
    if (line.trim() === "") continue;
    const object = isJson ? parse(path, i + 1, line) : { [field]: line };
    const { [field]: text, id } = object as Record<string, unknown>;
    const wrong = (expected: string) => new FileError(path, `line ${i + 1}: expected ${expected}`);
    if (typeof text !== "string" || text.trim() === "") throw wrong(`a text in "${field}" (--field names another)`);
    if (id !== undefined && typeof id !== "string" && !Number.isSafeInteger(id))
      throw wrong('a text or a whole number in "id"');
    if ((id === undefined) !== (ids.length === 0) && texts.length > 0) throw wrong('an "id" in every line or in none');
    texts.push(text);
    payloads.push(object as Record<string, never>);
    if (id !== undefined) ids.push(id as string | number);
  }
  if (texts.length === 0) throw new FileError(path, "no line has a text");
  return { texts, payloads, ...(ids.length > 0 && { ids }) };
}

function parse(path: string, line: number, text: string): object {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === "object" && value !== null && !Array.isArray(value)) return value;
  } catch {
    // Said below.
  }
  throw new FileError(path, `line ${line}: expected a JSON object`);
}
