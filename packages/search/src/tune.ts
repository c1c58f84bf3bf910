/** What a search must spend to reach a recall, by trying it. */
import { OutOfRangeError } from "lowbit";
import type { Vectors } from "./prepare.ts";
import { recall, type Truth } from "./recall.ts";
import type { Index, SearchOptions } from "./search-index.ts";
import { defaultRescored, parseSpec } from "./spec.ts";

export interface TuneOptions {
  /** That is wanted, above 0, at most 1. */
  readonly recall: number;
  /** Default 10. */
  readonly k?: number;
  /** Queries of the kind that will come. Absent: 200 of the index's own vectors, as they are stored, whose nearest beside themselves are sought. */
  readonly queries?: Vectors;
  /** Absent: what a search with `exact` finds, the best that can be known from what is stored. */
  readonly truth?: Truth;
}

export interface Tuned {
  /** For {@link Index.search}: only what the index has. */
  readonly options: SearchOptions;
  /** With these. Below what was wanted where the index cannot give more. */
  readonly recall: number;
}

/** Own vectors that are asked for. */
const SAMPLE = 200;

/** Candidates that are scored again, and nodes of a graph that are kept, at most. */
const MOST_TRIED = 4096;

/** A setting of a search: its smallest value, and where it helps no more. */
interface Knob {
  readonly name: "nprobe" | "efSearch" | "rescored";
  readonly least: number;
  readonly most: number;
}

/**
 * Picks the smallest settings that reach a recall: of lists that are looked through or nodes of a graph that are kept, with every other setting at its most, then of candidates that are scored again.
 *
 * @throws OutOfRangeError for a recall out of range or an index without vectors; and as {@link recall}
 */
export function tune(index: Index, { recall: wanted, k = 10, queries, truth }: TuneOptions): Tuned {
  if (!(wanted > 0 && wanted <= 1)) throw new OutOfRangeError("tune", "recall", "above 0, at most 1", wanted);
  const knobs = knobsOf(index, k);
  const asked = queries ?? ownVectors(index);
  const among = queries ? k : k + 1;
  const known = truth ?? {
    shape: [asked.shape[0]!, among],
    data: index.searchAll(asked, among, { exact: true }).numbers,
  };
  const measure = (values: ReadonlyMap<Knob["name"], number>): number => {
    const found = recall(index, asked, known, { k: among, ...Object.fromEntries(values) });
    // Each finds itself, which says nothing.
    return queries ? found : Math.max(0, (found * among - 1) / k);
  };
  const values = new Map(knobs.map(({ name, most }) => [name, most]));
  for (const { name, least, most } of knobs) {
    // The smallest that reaches it; `most` where none does.
    let [low, high] = [least, most];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (measure(new Map([...values, [name, middle]])) >= wanted) high = middle;
      else low = middle + 1;
    }
    values.set(name, high);
  }
  return { options: Object.fromEntries(values), recall: measure(values) };
}

function knobsOf(index: Index, k: number): Knob[] {
  const spec = parseSpec(index.spec);
  const knobs: Knob[] = [];
  if (spec.lists) knobs.push({ name: "nprobe", least: 1, most: spec.lists });
  if (spec.links) knobs.push({ name: "efSearch", least: 1, most: Math.max(k, Math.min(index.size, MOST_TRIED)) });
  if (spec.rescore) {
    const most = Math.max(defaultRescored(spec, k), Math.min(index.size, MOST_TRIED));
    knobs.push({ name: "rescored", least: k, most });
  }
  return knobs;
}

/** Some of the vectors, evenly spread. */
function ownVectors(index: Index): Vectors {
  const { ids, live } = index.state;
  const numbers: number[] = [];
  for (let number = 0; number < ids.count; number++) if (live.has(number)) numbers.push(number);
  if (numbers.length === 0) throw new OutOfRangeError("tune", "vectors of the index", "1 or more", 0);
  const n = Math.min(SAMPLE, numbers.length);
  const data = new Float32Array(n * index.dimension);
  for (let i = 0; i < n; i++) {
    const vector = index.reconstruct(ids.idOf(numbers[Math.floor((i * numbers.length) / n)]!));
    data.set(vector, i * index.dimension);
  }
  return { shape: [n, index.dimension], data };
}
