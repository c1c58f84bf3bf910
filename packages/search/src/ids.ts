/** Ids as users give them, by the number under which a vector is stored. */
import { InputError } from "lowbit";

export type IndexId = number | bigint | string;

export class Ids {
  /** Ids by number; empty while they are 0, 1, 2 ... themselves. */
  readonly #given: IndexId[] = [];
  #numbers: Map<IndexId, number> | undefined;
  #count = 0;
  /** What the next vector without an id is called, while all were added without. */
  #next: number | undefined = 0;

  /** Vectors that were ever added. */
  get count(): number {
    return this.#count;
  }

  /** Whether ids are the numbers themselves. */
  get plain(): boolean {
    return this.#numbers === undefined;
  }

  /** Whether nobody gave one. */
  get automatic(): boolean {
    return this.#next !== undefined;
  }

  /**
   * Numbers of `count` new vectors; ids that are taken already are returned as `replaced`.
   * @param ids `count` of them
   * @throws InputError for an id twice in `ids`, or another kind of id
   */
  add(count: number, ids: readonly IndexId[] | undefined): { first: number; replaced: number[] } {
    const first = this.#count;
    const replaced: number[] = [];
    if (ids === undefined && this.#next !== undefined) {
      const next = this.#next;
      if (this.#numbers) for (let i = 0; i < count; i++) this.#push(next + i);
      this.#next += count;
      this.#count += count;
      return { first, replaced };
    }
    if (ids === undefined)
      throw new InputError("Index.add", "ids", "as many as vectors, as those before had them", "none");
    const fresh = new Set<IndexId>();
    const kind = this.#given.length > 0 ? typeof this.#given[0] : typeof ids[0];
    for (const id of ids) {
      if (typeof id !== kind || !isId(id)) throw new InputError("Index.add", "id", `a ${kind}, all of one kind`, id);
      if (fresh.has(id)) throw new InputError("Index.add", "ids", "each once", id);
      fresh.add(id);
    }
    if (this.#numbers === undefined) {
      if (first > 0 && kind !== "number") throw new InputError("Index.add", "id", "a number, as those before", ids[0]);
      // Those before were named by their numbers.
      for (let number = 0; number < first; number++) this.#push(number);
    }
    for (const id of ids) {
      const before = this.#push(id);
      if (before !== undefined) replaced.push(before);
    }
    this.#next = undefined;
    this.#count += count;
    return { first, replaced };
  }

  /** Names the next number; returns which had the name before. */
  #push(id: IndexId): number | undefined {
    this.#numbers ??= new Map();
    const before = this.#numbers.get(id);
    this.#numbers.set(id, this.#given.length);
    this.#given.push(id);
    return before;
  }

  /** Those of some numbers alone, which are 0, 1, 2 ... then. */
  kept(numbers: readonly number[]): Ids {
    const kept = new Ids();
    kept.#numbers = new Map();
    for (const number of numbers) kept.#push(this.idOf(number));
    kept.#count = numbers.length;
    kept.#next = this.#next;
    return kept;
  }

  /** The number of an id; undefined where there is none. */
  numberOf(id: IndexId): number | undefined {
    if (this.#numbers) return this.#numbers.get(id);
    return typeof id === "number" && Number.isInteger(id) && id >= 0 && id < this.#count ? id : undefined;
  }

  idOf(number: number): IndexId {
    return this.#given[number] ?? number;
  }

  remove(id: IndexId): void {
    this.#numbers?.delete(id);
  }

  toJSON(): { count: number; kind?: string; ids?: (string | number)[]; next?: number } {
    if (this.plain) return { count: this.#count };
    const kind = typeof this.#given[0];
    const ids = this.#given.map((id) => (typeof id === "bigint" ? `${id}` : id));
    return { count: this.#count, kind, ids, ...(this.#next !== undefined && { next: this.#next }) };
  }

  /** As {@link Ids.toJSON} wrote them; an id that was replaced stands there again. */
  static from(ids: readonly IndexId[], next: number | undefined): Ids {
    const known = new Ids();
    known.#numbers = new Map();
    for (const id of ids) known.#push(id);
    known.#count = ids.length;
    known.#next = next;
    return known;
  }
}

const isId = (id: unknown): boolean => typeof id !== "number" || Number.isSafeInteger(id);
