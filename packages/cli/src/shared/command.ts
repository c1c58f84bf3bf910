/**
 * A command is a citty definition: name, sentence, typed arguments, `run`. citty types and documents the arguments but
 * lets unknown options, empty values and surplus words pass; {@link checkArguments} does not.
 */

import { parseArgs } from "node:util";
import type { ArgsDef, SubCommandsDef } from "citty";
import { UsageError } from "./errors.ts";

/** A definition with arguments of any kind, as citty keeps subcommands. */
export type Command = Exclude<Awaited<SubCommandsDef[string]>, (...args: never[]) => unknown>;

/** What every command is given beside its arguments. */
export interface Surroundings {
  /** Every value of every option, in order: citty keeps only the last of a repeated one. */
  readonly values: ReadonlyMap<string, readonly string[]>;
}

export const JSON_ARGUMENT = {
  type: "boolean",
  description: "Print one JSON object and nothing else.",
} as const;

const list = (value: string | string[] | undefined): string[] =>
  value === undefined ? [] : Array.isArray(value) ? value : [value];

/** Throws {@link UsageError} for anything the command did not declare; returns the values of its options. */
export function checkArguments(name: string, command: Command, rawArgs: readonly string[]): Surroundings["values"] {
  const definitions = command.args as ArgsDef;
  const options: Record<string, { type: "string" | "boolean"; short?: string; multiple: true }> = {};
  const positionals: string[] = [];
  for (const [key, definition] of Object.entries(definitions)) {
    if (definition.type === "positional") {
      positionals.push(key);
      continue;
    }
    const short = "alias" in definition ? list(definition.alias).find((a) => a.length === 1) : undefined;
    const type = definition.type === "boolean" ? "boolean" : "string";
    options[key] = { type, multiple: true, ...(short === undefined ? {} : { short }) };
  }
  const hint = `see lowbit ${name} --help`;
  let parsed: { values: Record<string, (string | boolean)[] | string | boolean | undefined>; positionals: string[] };
  try {
    parsed = parseArgs({ args: [...rawArgs], options, allowPositionals: true, strict: true });
  } catch (error) {
    // Node's first sentence names the option; the rest explains how to escape it.
    const message = (error instanceof Error ? error.message : String(error)).split(/\. |\n/)[0];
    throw new UsageError(`${message?.replace(/^[A-Z]/, (c) => c.toLowerCase())}; ${hint}`);
  }
  const surplus = parsed.positionals[positionals.length];
  if (surplus !== undefined) throw new UsageError(`unexpected argument "${surplus}"; ${hint}`);
  const missing = positionals.filter((key, i) => definitions[key]?.required !== false && !parsed.positionals[i]);
  if (missing[0] !== undefined) throw new UsageError(`${missing[0].toUpperCase()} is missing; ${hint}`);
  const values = new Map<string, readonly string[]>();
  for (const [key, definition] of Object.entries(definitions)) {
    const given = [parsed.values[key] ?? []].flat();
    if (definition.required && definition.type !== "positional" && given.length === 0)
      throw new UsageError(`--${key} is missing; ${hint}`);
    if (given.includes("")) throw new UsageError(`--${key} needs a value; ${hint}`);
    if (given.length > 1 && !REPEATABLE.has(key))
      throw new UsageError(`--${key} is given ${given.length} times; ${hint}`);
    values.set(key, given.map(String));
  }
  return values;
}

/** Options that may be given more than once; for any other the last would win in silence. */
const REPEATABLE: ReadonlySet<string> = new Set(["layer", "json"]);

/** A finite number within bounds, or a {@link UsageError} that names the option. */
export function numberOption(name: string, text: string | undefined, min: number, integer = false): number | undefined {
  if (text === undefined) return undefined;
  const value = Number(text);
  if (text.trim() === "" || !Number.isFinite(value) || value < min || (integer && !Number.isInteger(value)))
    throw new UsageError(
      `--${name}: expected ${integer ? "an integer" : "a number"} of at least ${min}, got "${text}"`,
    );
  return value;
}
