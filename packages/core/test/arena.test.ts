import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { alignment, layOut, type Span } from "../src/runtime/arena.ts";

const span = fc
  .record({ bytes: fc.nat(1000), first: fc.integer({ min: -1, max: 20 }), length: fc.nat(10) })
  .map(({ bytes, first, length }): Span => ({ bytes, first, last: first + length }));

describe("layOut", () => {
  it("never lets two spans that live together share a byte", () => {
    fc.assert(
      fc.property(fc.array(span, { maxLength: 40 }), (spans) => {
        const { offsets, bytes } = layOut(spans);
        for (const [i, a] of spans.entries()) {
          const from = offsets[i]!;
          expect(from % alignment).toBe(0);
          expect(from + a.bytes).toBeLessThanOrEqual(bytes);
          for (const [j, b] of spans.slice(0, i).entries()) {
            const together = a.first <= b.last && b.first <= a.last;
            const apart = from >= offsets[j]! + b.bytes || offsets[j]! >= from + a.bytes;
            expect(!together || apart).toBe(true);
          }
        }
      }),
      { seed: 1, numRuns: 300 },
    );
  });

  it("keeps a chain of equal values in two places", () => {
    const chain = Array.from({ length: 10 }, (_, i) => ({ bytes: 640, first: i, last: i + 1 }));
    expect(layOut(chain).bytes).toBe(1280);
  });

  it("needs nothing for nothing", () => expect(layOut([])).toEqual({ offsets: [], bytes: 0 }));
});
