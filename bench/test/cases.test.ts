import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { allCases, families } from "../src/cases/index.ts";
import { naiveChecksum } from "../src/checksums.ts";
import { coldCopies, outputSize, samePads } from "../src/task.ts";

/** What plain loops do in well under a second. */
const SMALL = 2 ** 24;

describe("cases", () => {
  test("ids are unique, and spelled <family>/<shape>", () => {
    const ids = allCases().map(({ id }) => id);
    expect(new Set(ids).size).toBe(ids.length);
    for (const { id, family, shape, task } of allCases()) {
      expect(id).toBe(`${family}/${shape}`);
      expect(family).toMatch(/^[a-z0-9_]+$/);
      if (task.op === "gemm") expect(shape).toMatch(/^\d+x\d+x\d+$/);
      if (task.op === "conv") expect(shape).toMatch(/^\d+x\d+x\d+-k\d+x\d+-\d+$/);
    }
  });

  // Records of other days name them: a change here makes those incomparable.
  test("every case has a checksum, and every checksum a case", () => {
    for (const { id, checksum } of allCases()) expect(checksum, id).toMatch(/^[0-9a-f]{16}$/);
    const written = readFileSync(new URL("../src/generated/checksums.ts", import.meta.url), "utf8");
    const ids = [...written.matchAll(/^ {2}"([^"]+)":/gm)].map(([, id]) => id);
    expect(ids).toEqual(
      allCases()
        .map(({ id }) => id)
        .sort(),
    );
  });

  test("every family has a case in the full suite, and --quick has some of many families", () => {
    for (const { name, cases } of families) expect(cases.length, name).toBeGreaterThan(0);
    expect(new Set(allCases().flatMap(({ quick, family }) => (quick ? [family] : []))).size).toBeGreaterThan(5);
  });

  test.each(allCases().filter(({ work }) => work.amount <= SMALL))("$id: the naive sums give its checksum", (each) => {
    expect(naiveChecksum(each)).toBe(each.checksum);
  });
});

describe("tasks", () => {
  test("pads of SAME: odd kernels around, the surplus of a stride at the end", () => {
    expect(samePads([56, 56], [3, 3], 1)).toEqual([1, 1, 1, 1]);
    expect(samePads([224, 224], [3, 3], 2)).toEqual([0, 0, 1, 1]);
    expect(samePads([7, 5], [3, 1], 2)).toEqual([1, 0, 1, 0]);
  });

  test("a convolution's output has ceil(size / stride)", () => {
    for (const { task } of allCases())
      if (task.op === "conv")
        expect(outputSize(task)).toEqual([Math.ceil(task.height / task.stride), Math.ceil(task.width / task.stride)]);
  });

  test("cold copies are more than 64 MiB together", () => {
    for (const bytes of [2 ** 20, 2 ** 22, 2 ** 24 + 5, 2 ** 27])
      expect(coldCopies(bytes) * bytes).toBeGreaterThan(64 * 2 ** 20);
  });
});
