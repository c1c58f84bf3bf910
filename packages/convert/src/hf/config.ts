/** `config.json` of a Hugging Face model: fields are checked before anything is sized by them. */
import { ModelFileError } from "../errors.ts";

/** Layers, heads and sizes beyond these are damage. */
const MOST = { layers: 1024, size: 2 ** 20, vocabulary: 2 ** 24 } as const;

export class Config {
  readonly #fields: Readonly<Record<string, unknown>>;
  readonly #op: string;

  /** @param fields of the file @param op its name, for messages */
  constructor(fields: Readonly<Record<string, unknown>>, op = "config.json") {
    this.#fields = fields;
    this.#op = op;
  }

  /** @throws ModelFileError where it is no JSON object */
  static parse(bytes: Uint8Array, op = "config.json"): Config {
    let value: unknown;
    try {
      value = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
    } catch (cause) {
      throw new ModelFileError(op, "content", "JSON", (cause as Error).message, cause);
    }
    if (typeof value !== "object" || value === null || Array.isArray(value))
      throw new ModelFileError(op, "content", "a JSON object", value === null ? "null" : typeof value);
    return new Config(value as Record<string, unknown>, op);
  }

  get fields(): Readonly<Record<string, unknown>> {
    return this.#fields;
  }

  /** A field's value, undefined also where it is null. */
  get(name: string): unknown {
    return Object.hasOwn(this.#fields, name) ? (this.#fields[name] ?? undefined) : undefined;
  }

  /** An object in the object. */
  object(name: string): Config | undefined {
    const value = this.get(name);
    if (value === undefined) return undefined;
    if (typeof value !== "object" || Array.isArray(value)) this.refuse(name, "an object", value);
    return new Config(value as Record<string, unknown>, `${this.#op}: ${name}`);
  }

  string(name: string, fallback?: string): string {
    const value = this.get(name) ?? fallback;
    return typeof value === "string" ? value : this.refuse(name, "a string", value);
  }

  flag(name: string, fallback: boolean): boolean {
    const value = this.get(name) ?? fallback;
    return typeof value === "boolean" ? value : this.refuse(name, "true or false", value);
  }

  /** A number above 0. */
  real(name: string, fallback?: number): number {
    const value = this.get(name) ?? fallback;
    return Number.isFinite(value) && (value as number) > 0
      ? (value as number)
      : this.refuse(name, "a number > 0", value);
  }

  /** An integer of 1 to the most that anything of this kind has. */
  size(name: string, { most = "size", fallback }: { most?: keyof typeof MOST; fallback?: number } = {}): number {
    const value = this.get(name) ?? fallback;
    const high = MOST[most];
    return Number.isInteger(value) && (value as number) >= 1 && (value as number) <= high
      ? (value as number)
      : this.refuse(name, `an integer of 1 to ${high}`, value);
  }

  /** @throws ModelFileError, always */
  refuse(name: string, expected: unknown, got: unknown): never {
    throw new ModelFileError(this.#op, name, expected, typeof got === "object" ? JSON.stringify(got) : got);
  }
}
