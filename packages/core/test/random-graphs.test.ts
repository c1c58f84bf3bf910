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
import { sha256Hex } from "../src/file/digest.ts";
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
const seeds = Array.from({ length: 25 }, (_, i) => i + 1);

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

/** Computed once, for every tier. */
const references = new WeakMap<RandomGraph, Record<string, Tensor>>();
function referenceOf(made: RandomGraph): Record<string, Tensor> {
  const outputs = references.get(made) ?? runReference(made.graph, made.feed);
  references.set(made, outputs);
  return outputs;
}

async function check(made: RandomGraph, model: Model): Promise<Record<string, Tensor>> {
  const outputs = await model.run(made.feed);
  const wanted = referenceOf(made);
  for (const [name, tensor] of Object.entries(wanted)) expectEqual(outputs[name]!, tensor, made.tolerance);
  return outputs;
}

const digestsOf = (outputs: Record<string, Tensor>): Record<string, string> =>
  Object.fromEntries(Object.entries(outputs).map(([name, { data }]) => [name, sha256Hex(new Uint8Array(data.buffer))]));

describe.each(Object.entries(families))("random graphs of %s", (_, make) => {
  const graphs = new Map(seeds.map((seed) => [seed, make(seed)]));

  describe.each(tiers)("tier %s", (tier: Tier) => {
    it.skipIf(!availableTiers().includes(tier)).each(seeds)(
      `seed %i: the runtime equals the reference (${tier})`,
      async (seed) => {
        const made = graphs.get(seed)!;
        using model = await createModel(made.graph, { tier });
        const first = await check(made, model);
        // A second run reuses the plan, and must not see what the first left behind.
        expect(digestsOf(await model.run(made.feed))).toEqual(digestsOf(first));
      },
    );
  });

  it.each(seeds.slice(0, 8))("seed %i: a packed file gives the same graph and the same bytes", async (seed) => {
    const { graph } = graphs.get(seed)!;
    const bytes = writePacked({ graph });
    const packed = readPacked(bytes);
    expect(packed.graph).toEqual(graph);
    expect(sha256Hex(writePacked(packed))).toBe(sha256Hex(bytes));
  });
});
