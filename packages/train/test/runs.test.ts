import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
// @ts-expect-error a script has no types
import { compared } from "../../../scripts/train/statistics.mjs";
import { agreementOf } from "../src/agreement.ts";
import { factsOf } from "../src/environment.ts";
import type { TrainingRecord } from "../src/record.ts";
import { keepRun } from "../src/runs.ts";

describe("agreementOf", () => {
  it("lists the answers that differ, with the margin of the training graph", () => {
    const trained = Float32Array.of(1, 0, 0.25, 0.5, 3, 1);
    const packed = Float32Array.of(1, 0, 0.5, 0.25, 3, 1);
    expect(agreementOf(trained, packed, 3)).toEqual({
      answers: 3,
      equal: 2,
      differing: [{ answer: 1, trained: 1, packed: 0, margin: 0.25 }],
    });
  });
});

describe("keepRun", () => {
  it("writes the record and a line an epoch", async () => {
    const folder = await mkdtemp(join(tmpdir(), "lowbit-runs-"));
    const entry = { epoch: 1, loss: 0.5, validation: 0.9, rate: 0, seconds: 2.5 };
    const facts = factsOf([entry], [entry]);
    expect(facts.seconds).toBe(5);
    expect(facts.environment).toMatchObject({
      node: process.versions.node,
      "@jax-js/jax": expect.stringMatching(/^\d/),
    });
    const record = {
      recipe: "r",
      command: "lowbit train r",
      seed: 7,
      log: [entry],
      ...facts,
    } as unknown as TrainingRecord;
    await keepRun(folder, record);
    expect(JSON.parse(await readFile(join(folder, "r", "7.json"), "utf8"))).toEqual(record);
    expect(await readFile(join(folder, "r", "7.log"), "utf8")).toBe(
      "lowbit train r\nr\nepoch 1/1  loss 0.5000  validation 90.00 %  3 s\n",
    );
    await rm(folder, { recursive: true });
  });
});

describe("an order of methods", () => {
  const bySeed = (...figures: number[]) => new Map(figures.map((figure, i) => [i + 1, figure]));

  it("is claimed beyond two standard errors of the paired difference alone", () => {
    expect(compared(bySeed(1, 2, 3), bySeed(1.2, 2.2, 3.2))).toMatchObject({ isBeyondDoubt: true });
    expect(compared(bySeed(1, 2, 3), bySeed(1.5, 1.9, 3.1))).toMatchObject({ isBeyondDoubt: false });
    // Two seeds are too few, and seeds that only one of them has do not count.
    expect(compared(bySeed(1, 2), bySeed(5, 6, 9))).toMatchObject({ mean: -4, isBeyondDoubt: false });
  });
});
