import { ModelFileError } from "../errors.ts";

/**
 * Tables of a FlatBuffers file, read by a schema of their fields. The JavaScript library of FlatBuffers has no verifier:
 * its accessors take every offset on trust. Here reading is verifying: an offset, a size or a vtable that leaves the file or
 * its table is a {@link ModelFileError}, and what is decoded is bounded by the file's own size.
 */

/** One field of a table: where its offset stands in the vtable, and how to read it. */
export interface Field<T> {
  readonly slot: number;
  /** Bytes that the field takes inside its table. */
  readonly bytes: number;
  /** What a table without the field has. */
  readonly absent: T;
  read(file: FlatBuffer, at: number, name: string): T;
}

export type Schema = Readonly<Record<string, Field<unknown>>>;

/** A table as an object. */
export type Decoded<S extends Schema> = { readonly [K in keyof S]: S[K] extends Field<infer T> ? T : never };

/** A table whose schema only its reader knows: a member of a union. */
export interface Unread {
  as<S extends Schema>(schema: S): Decoded<S>;
}

export class FlatBuffer {
  readonly bytes: Uint8Array;
  readonly view: DataView;
  /** Bytes that may still be decoded. Nested tables may overlap: without it a small file could stand for a huge one. */
  #budget: number;

  constructor(
    bytes: Uint8Array,
    /** For messages. */
    readonly format: string,
  ) {
    this.bytes = bytes;
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#budget = 2 * bytes.length;
  }

  root<S extends Schema>(schema: S): Decoded<S> {
    return this.table(this.follow(0, "root"), schema, "root");
  }

  /** The table at `at` with every field that the schema names. */
  table<S extends Schema>(at: number, schema: S, name: string): Decoded<S> {
    this.within(at, 4, name);
    const vtable = at - this.view.getInt32(at, true);
    this.within(vtable, 4, `${name}: vtable`);
    const length = this.view.getUint16(vtable, true);
    const size = this.view.getUint16(vtable + 2, true);
    if (length < 4 || length % 2 !== 0) this.damaged(`${name}: vtable`, "an even length of 4 or more", length);
    this.within(vtable, length, `${name}: vtable`);
    if (size < 4) this.damaged(name, "a table of 4 bytes or more", size);
    this.within(at, size, name);
    this.spend(size, name);
    const table: Record<string, unknown> = {};
    for (const [key, field] of Object.entries(schema)) {
      const slot = 4 + 2 * field.slot;
      const offset = slot + 2 <= length ? this.view.getUint16(vtable + slot, true) : 0;
      if (offset !== 0 && (offset < 4 || offset + field.bytes > size))
        this.damaged(`${name}.${key}`, `a field within its table of ${size} bytes`, `offset ${offset}`);
      table[key] = offset === 0 ? field.absent : field.read(this, at + offset, key);
    }
    return table as Decoded<S>;
  }

  /** Where the offset at `at` points to. */
  follow(at: number, name: string): number {
    this.within(at, 4, name);
    const offset = this.view.getUint32(at, true);
    if (offset === 0) this.damaged(name, "an offset", 0);
    this.within(at + offset, 4, name);
    return at + offset;
  }

  /** First byte and element count of the vector that the offset at `at` points to. */
  vector(at: number, elementBytes: number, name: string): readonly [from: number, count: number] {
    const start = this.follow(at, name);
    const count = this.view.getUint32(start, true);
    this.within(start + 4, count * elementBytes, `${name}: ${count} elements`);
    return [start + 4, count];
  }

  within(at: number, size: number, name: string): void {
    if (at < 0 || at + size > this.bytes.length)
      this.damaged(name, `a place in the file's ${this.bytes.length} bytes`, `${at} to ${at + size}`);
  }

  spend(bytes: number, name: string): void {
    this.#budget -= bytes;
    if (this.#budget < 0)
      this.damaged(name, "tables and vectors that do not overlap", "more of them than the file holds");
  }

  damaged(what: string, expected: unknown, got: unknown): never {
    throw new ModelFileError(this.format, what, expected, got);
  }
}

const scalar =
  <T>(bytes: number, get: (view: DataView, at: number) => T) =>
  (slot: number, absent: T): Field<T> => ({ slot, bytes, absent, read: ({ view }, at) => get(view, at) });

const ofNumber = (bytes: number, get: (view: DataView, at: number) => number) => {
  const make = scalar(bytes, get);
  return (slot: number, absent = 0) => make(slot, absent);
};

export const int8 = ofNumber(1, (view, at) => view.getInt8(at));
export const uint8 = ofNumber(1, (view, at) => view.getUint8(at));
export const int32 = ofNumber(4, (view, at) => view.getInt32(at, true));
export const uint32 = ofNumber(4, (view, at) => view.getUint32(at, true));
export const float32 = ofNumber(4, (view, at) => view.getFloat32(at, true));
/** As a number: what is past 2^53 is no place in any file. */
export const uint64 = ofNumber(8, (view, at) => Number(view.getBigUint64(at, true)));
export const flag = (slot: number, absent = false) => scalar(1, (view, at) => view.getUint8(at) !== 0)(slot, absent);

const vectorField =
  <T>(
    elementBytes: number,
    copied: boolean,
    take: (file: FlatBuffer, from: number, count: number, name: string) => T,
  ) =>
  (slot: number): Field<T | undefined> => ({
    slot,
    bytes: 4,
    absent: undefined,
    read(file, at, name) {
      const [from, count] = file.vector(at, elementBytes, name);
      if (copied) file.spend(count * elementBytes, name);
      return take(file, from, count, name);
    },
  });

const numbers = (bytes: number, get: (view: DataView, at: number) => number) =>
  vectorField(bytes, true, ({ view }, from, count) =>
    Array.from({ length: count }, (_, i) => get(view, from + i * bytes)),
  );

export const int32s = numbers(4, (view, at) => view.getInt32(at, true));
export const float32s = numbers(4, (view, at) => view.getFloat32(at, true));
export const int64s = numbers(8, (view, at) => Number(view.getBigInt64(at, true)));
/** A view into the file. */
export const bytes = vectorField(1, false, (file, from, count) => file.bytes.subarray(from, from + count));
/** What is no UTF-8 in it becomes U+FFFD. */
export const string = vectorField(1, true, (file, from, count) =>
  new TextDecoder().decode(file.bytes.subarray(from, from + count)),
);

export const tableOf = <S extends Schema>(slot: number, schema: S): Field<Decoded<S> | undefined> => ({
  slot,
  bytes: 4,
  absent: undefined,
  read: (file, at, name) => file.table(file.follow(at, name), schema, name),
});

export const tablesOf = <S extends Schema>(slot: number, schema: S): Field<readonly Decoded<S>[]> => ({
  slot,
  bytes: 4,
  absent: [],
  read(file, at, name) {
    const [from, count] = file.vector(at, 4, name);
    file.spend(4 * count, name);
    return Array.from({ length: count }, (_, i) => {
      const each = `${name}[${i}]`;
      return file.table(file.follow(from + 4 * i, each), schema, each);
    });
  },
});

export const union = (slot: number): Field<Unread | undefined> => ({
  slot,
  bytes: 4,
  absent: undefined,
  read: (file, at, name) => {
    const start = file.follow(at, name);
    return { as: (schema) => file.table(start, schema, name) };
  },
});
