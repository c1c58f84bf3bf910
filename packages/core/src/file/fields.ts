/** Reading JSON field by field: every helper returns the value with its type, or throws FormatError with the path. */
import { FormatError } from "../errors.ts";
import type { Json } from "./json.ts";

/** A JSON value and where it stands, e.g. `graph.nodes[3].inputs`. */
export class Field {
  readonly value: Json | undefined;
  readonly path: string;

  constructor(value: Json | undefined, path: string) {
    this.value = value;
    this.path = path;
  }

  fail(expected: string): never {
    const { value } = this;
    const got =
      typeof value === "object" && value !== null ? (Array.isArray(value) ? "an array" : "an object") : String(value);
    throw new FormatError("metadata-field", this.path, expected, got);
  }

  get isPresent(): boolean {
    return this.value !== undefined;
  }

  /** Member `name` of an object. */
  get(name: string): Field {
    const object = this.object();
    return new Field(Object.hasOwn(object, name) ? object[name] : undefined, `${this.path}.${name}`);
  }

  object(): { readonly [key: string]: Json } {
    const { value } = this;
    if (typeof value !== "object" || value === null || Array.isArray(value)) this.fail("an object");
    return value as { readonly [key: string]: Json };
  }

  list(): Field[] {
    const { value } = this;
    if (!Array.isArray(value)) this.fail("an array");
    return (value as readonly Json[]).map((entry, i) => new Field(entry, `${this.path}[${i}]`));
  }

  string(): string {
    return typeof this.value === "string" ? this.value : this.fail("a string");
  }

  number(): number {
    return typeof this.value === "number" ? this.value : this.fail("a number");
  }

  integer(low: number, high: number): number {
    const { value } = this;
    return Number.isInteger(value) && (value as number) >= low && (value as number) <= high
      ? (value as number)
      : this.fail(`an integer of ${low} to ${high}`);
  }

  boolean(): boolean {
    return typeof this.value === "boolean" ? this.value : this.fail("true or false");
  }

  oneOf<const S extends string>(...names: readonly S[]): S {
    return names.includes(this.value as S) ? (this.value as S) : this.fail(names.join(", "));
  }

  strings(): string[] {
    return this.list().map((entry) => entry.string());
  }

  numbers(): number[] {
    return this.list().map((entry) => entry.number());
  }
}
