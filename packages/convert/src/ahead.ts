/** Work on many things at a time, with the results in order. */

/**
 * Begins `work` on the items in their order, on at most `atOnce` more than have been taken, and gives the results in that order. Whoever stops taking, or meets a failure, waits
 * for what has begun: nothing runs on behind its back.
 * @throws what the first item in order that fails throws
 */
export async function* ahead<Item, Result>(
  items: Iterable<Item>,
  atOnce: number,
  work: (item: Item) => Promise<Result>,
): AsyncGenerator<Result, void, void> {
  const begun: Promise<Result>[] = [];
  try {
    for (const item of items) {
      const result = work(item);
      // Heard when its turn comes, which may be after it failed.
      result.catch(() => {});
      begun.push(result);
      if (begun.length >= atOnce) yield await begun.shift()!;
    }
    while (begun.length > 0) yield await begun.shift()!;
  } finally {
    await Promise.allSettled(begun);
  }
}
