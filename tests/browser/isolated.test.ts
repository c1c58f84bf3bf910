import { expect, test } from "vitest";

test("the page that runs the tests of threads is cross-origin isolated, and its main thread must not sleep", () => {
  expect(crossOriginIsolated).toBe(true);
  expect(() => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 0)).toThrow(TypeError);
});
