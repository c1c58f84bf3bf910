import { expect, test } from "vitest";
import { availableTiers } from "../../packages/core/src/kernels/tiers.ts";

test("the page that runs the core's tests is not cross-origin isolated", () => {
  expect(crossOriginIsolated).toBe(false);
  expect(typeof globalThis.SharedArrayBuffer).toBe("undefined");
});

test("this browser runs every tier, so no test of a tier is left out here", () => {
  expect(availableTiers()).toEqual(["scalar", "simd128", "relaxed"]);
});
