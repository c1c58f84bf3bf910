import {
  availableTiers,
  createModel,
  type Model,
  readPacked,
  type Tensor,
  type Tier,
  tiers,
  writePacked,
} from "lowbit";
import { describe, expect, it } from "vitest";
import {
  binaryCnn,
  binaryMlp,
  codedCnn,
  floatChain,
  integerCnn,
  type RandomGraph,
} from "../src/testing/random-graphs.ts";
import { runReference } from "../src/testing/reference.ts";

const families = { binaryMlp, binaryCnn, integerCnn, codedCnn, floatChain };
const seeds = Array.from({ length: 40 }, (_, i) => i + 1);

/** Bytes where nothing may differ, numbers where a tolerance is given. */
function expectEqual(got: Tensor, wanted: Tensor, tolerance: number): void {
  expect(got.dtype).toBe(wanted.dtype);
  expect(got.shape).toEqual(wanted.shape);
  const [actual, expected] = [numbersOf(got), numbersOf(wanted)];
  if (tolerance === 0) {
    expect(actual).toEqual(expected);
    return;
  }
  const largest = Math.max(1, ...expected.map(Math.abs));
  for (const [i, value] of expected.entries())
    expect(Math.abs(actual[i]! - value)).toBeLessThanOrEqual(tolerance * largest);
}

/** -0 and +0 are equal numbers, and both are right. */
const numbersOf = ({ data }: Tensor): number[] => Array.from(data as ArrayLike<number | bigint>, (v) => Number(v) + 0);

async function check(made: RandomGraph, model: Model): Promise<Record<string, Tensor>> {
  const outputs = await model.run(made.feed);
  const wanted = runReference(made.graph, made.feed);
  for (const [name, tensor] of Object.entries(wanted)) expectEqual(outputs[name]!, tensor, made.tolerance);
  return outputs;
}

describe.each(Object.entries(families))("random graphs of %s", (_, make) => {
  describe.each(tiers)("tier %s", (tier: Tier) => {
    it.skipIf(!availableTiers().includes(tier)).each(seeds)(
      `seed %i: the runtime equals the reference (${tier})`,
      async (seed) => {
        const made = make(seed);
        using model = await createModel(made.graph, { tier });
        const first = await check(made, model);
        // A second run reuses the plan, and must not see what the first left behind.
        expect(await model.run(made.feed)).toEqual(first);
      },
    );
  });

  it.each(seeds.slice(0, 8))("seed %i: a packed file gives the same graph and the same bytes", async (seed) => {
    const { graph } = make(seed);
    const bytes = writePacked({ graph });
    const packed = readPacked(bytes);
    expect(packed.graph).toEqual(graph);
    expect(writePacked(packed)).toEqual(bytes);
  });
});
