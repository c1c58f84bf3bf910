import { expect, test } from "vitest";
import { loadKernels } from "../../packages/core/src/bundled.ts";
import { availableTiers } from "../../packages/core/src/kernels/tiers.ts";

test("the page that runs the core's tests is not cross-origin isolated", () => {
  expect(crossOriginIsolated).toBe(false);
  expect(typeof globalThis.SharedArrayBuffer).toBe("undefined");
});

test("this browser runs every tier, so no test of a tier is left out here", () => {
  expect(availableTiers()).toEqual(["scalar", "simd128", "relaxed"]);
});

test("threads are refused in such a page, with what to set", async () => {
  const refused = await loadKernels({ threads: 2 }).catch((error) => error);
  expect(refused).toMatchObject({ name: "ThreadsError", code: "threads", what: "shared memory" });
  expect(refused.message).toMatch(/Cross-Origin-Opener-Policy: same-origin.*Cross-Origin-Embedder-Policy/);
  using kernels = await loadKernels({ threads: 1 });
  expect(kernels.threads).toBeUndefined();
});
