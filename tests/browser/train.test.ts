import { expect, test } from "vitest";
import { trainDigits } from "../../packages/train/demo/main.ts";

test("digits are trained in a worker, the loss is drawn while they are, and the packed network reads others", async () => {
  const run = document.createElement("div");
  document.body.append(run);
  const points = () => run.querySelector("path")?.getAttribute("d")?.match(/[ML]/g)?.length ?? 0;
  // Every change of the drawing, also those between which a busy page would not come to look.
  const drawn = new Set<number>();
  const observer = new MutationObserver(() => drawn.add(points()));
  observer.observe(run, { subtree: true, childList: true, attributes: true });
  const { bytes, top1, equal, answers } = await trainDigits(run, { epochs: 2, seed: 1 });
  // It was drawn as it went on, not at once.
  expect(drawn.size).toBeGreaterThan(5);
  observer.disconnect();
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
