import { loadModel, Tensor, writePacked } from "lowbit";
import { loadModelIn } from "lowbit/worker";
import { expect, it } from "vitest";
import { goldenGraph } from "../src/testing/golden.ts";
import { RandomData } from "../src/testing/random-data.ts";

it("a model in a module worker gives what it gives in the page", async () => {
  const worker = new Worker(new URL("./model-worker.ts", import.meta.url), { type: "module" });
  try {
    const bytes = writePacked({ graph: goldenGraph() });
    const feed = { image: new Tensor("f32", [2, 8, 8, 1], new RandomData(4).floats(128)) };
    using here = await loadModel(bytes);
    await using there = await loadModelIn(worker, bytes);
    expect(there.tier).toBe(here.tier);
    expect(await there.run(feed)).toEqual(await here.run(feed));
    await using again = await loadModelIn(worker, bytes, { tier: "scalar" });
    expect(again.tier).toBe("scalar");
    expect(await again.run(feed)).toEqual(await here.run(feed));
  } finally {
    worker.terminate();
  }
});
