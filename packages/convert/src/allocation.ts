/** Which scheme each layer gets: all allocations that no other beats in both bytes and damage. */
import type { Choice } from "./sensitivity.ts";

export interface Allocation {
  readonly bytes: number;
  /** Sum over the layers: damages of small errors add up nearly. */
  readonly damage: number;
  /** Position of each layer's choice. */
  readonly choices: readonly number[];
}

interface Partial {
  readonly bytes: number;
  readonly damage: number;
  readonly choice: number;
  readonly before: Partial | undefined;
}

/** Allocations kept between two layers; beyond, of those within one step of bytes only the least damaged stays. */
const MOST = 20_000;

/**
 * The front of the multiple-choice knapsack, by rising bytes and falling damage: layer after layer every kept allocation is extended by every choice, and what
 * another beats in both is dropped. Exact up to `most` allocations.
 */
export function allocationFront(layers: readonly (readonly Choice[])[], most = MOST): Allocation[] {
  let kept: Partial[] = [{ bytes: 0, damage: 0, choice: -1, before: undefined }];
  for (const choices of layers) {
    const extended = kept.flatMap((before) =>
      choices.map(
        ({ bytes, damage }, choice): Partial => ({
          ...{ bytes: before.bytes + bytes, damage: before.damage + damage, choice, before },
        }),
      ),
    );
    kept = thinned(unbeaten(extended), most);
  }
  return kept.map((last) => ({ bytes: last.bytes, damage: last.damage, choices: choicesOf(last) }));
}

function unbeaten(all: Partial[]): Partial[] {
  all.sort((a, b) => a.bytes - b.bytes || a.damage - b.damage);
  let least = Number.POSITIVE_INFINITY;
  return all.filter(({ damage }) => {
    if (damage >= least) return false;
    least = damage;
    return true;
  });
}

/** Of a front, the last (least damaged) in each of `most` steps of bytes; the smallest stays too. */
function thinned(front: Partial[], most: number): Partial[] {
  if (front.length <= most) return front;
  const [low, high] = [front[0]!.bytes, front.at(-1)!.bytes];
  const step = (at: number) => Math.floor(((front[at]!.bytes - low) / (high - low)) * (most - 2));
  return front.filter((_, i) => i === 0 || i === front.length - 1 || step(i) !== step(i + 1));
}

function choicesOf(last: Partial): number[] {
  const choices: number[] = [];
  for (let at: Partial | undefined = last; at?.before; at = at.before) choices.unshift(at.choice);
  return choices;
}

/** A verified try: what the whole network takes and does with it. */
export interface Attempt {
  /** Of the file. */
  readonly bytes: number;
  /** 0..1; absent where nobody asked. */
  readonly accuracy?: number;
}

export interface Found<A extends Attempt> {
  readonly attempt: A;
  readonly allocation: Allocation;
  /** Whether the attempt keeps the limits; if not, it is the one that came nearest. */
  readonly reached: boolean;
}

export interface Limits {
  /** Of the file. */
  readonly maxBytes?: number;
  /** 0..1 */
  readonly minAccuracy?: number;
}

/**
 * With `maxBytes` the least damaged allocation whose file fits (and is then held to `minAccuracy`); without it the smallest that reaches `minAccuracy`. Only what
 * `attempt` made of the whole network counts: sums over layers choose where to look.
 */
export async function findAllocation<A extends Attempt>(
  front: readonly Allocation[],
  { maxBytes, minAccuracy = 0 }: Limits,
  attempt: (allocation: Allocation) => Promise<A>,
): Promise<Found<A>> {
  const reaches = ({ accuracy = 1 }: Attempt) => accuracy >= minAccuracy;
  if (maxBytes === undefined) return smallest(front, reaches, attempt);
  // What the file holds besides weights is known after the first try.
  let beside = 0;
  for (;;) {
    const fitting = front.findLast(({ bytes }) => bytes + beside <= maxBytes);
    const allocation = fitting ?? front[0]!;
    const tried = await attempt(allocation);
    const fits = tried.bytes <= maxBytes;
    if (fits || !fitting) return { attempt: tried, allocation, reached: fits && reaches(tried) };
    beside = Math.max(beside + 1, tried.bytes - allocation.bytes);
  }
}

/** Halves the front; accuracy need not rise along it, so that the answer is small and verified, not proven the smallest. */
async function smallest<A extends Attempt>(
  front: readonly Allocation[],
  reaches: (attempt: Attempt) => boolean,
  attempt: (allocation: Allocation) => Promise<A>,
): Promise<Found<A>> {
  const largest = front.at(-1)!;
  let best: Found<A> = { attempt: await attempt(largest), allocation: largest, reached: false };
  if (!reaches(best.attempt)) return best;
  best = { ...best, reached: true };
  let [low, high] = [0, front.length - 1];
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    const allocation = front[middle]!;
    const tried = await attempt(allocation);
    if (reaches(tried)) {
      best = { attempt: tried, allocation, reached: true };
      high = middle;
    } else low = middle + 1;
  }
  return best;
}
