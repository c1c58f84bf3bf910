import { expect, test } from "vitest";
import { trainDigits } from "../../packages/train/demo/main.ts";

test("digits are trained in a worker, the loss is drawn while they are, and the packed network reads others", async () => {
  const run = document.createElement("div");
  document.body.append(run);
  const training = trainDigits(run, { epochs: 2, seed: 1 });
  const points = () => run.querySelector("path")?.getAttribute("d")?.match(/[ML]/g)?.length ?? 0;
  await expect.poll(points, { timeout: 120_000, interval: 50 }).toBeGreaterThan(5);
  const early = points();
  const { bytes, top1, equal, answers } = await training;
  // It was drawn as it went on, not at once.
  expect(early).toBeLessThan(points());
  expect(points()).toBe(2 * (Math.floor(9_000 / 50) - 1));
  const heights = [
    ...run
      .querySelector("path")!
      .getAttribute("d")!
      .matchAll(/ ([\d.]+)/g),
  ].map(([, y]) => Number(y));
  expect(heights.at(-1)).toBeGreaterThan(heights[0]! + 100);
  expect(top1).toBeGreaterThan(0.9);
  expect(equal).toBe(answers);
  // Two bits a weight, and the normalizations.
  expect(bytes).toBeLessThan(45_000);
}, 240_000);
