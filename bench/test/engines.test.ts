/** Every engine that is to be had here answers a small case of every family rightly. What is absent is skipped by name. */
import { afterAll, describe, expect, test } from "vitest";
import type { Case } from "../src/case.ts";
import { allCases, families, familyOf } from "../src/cases/index.ts";
import { sources } from "../src/engines/index.ts";
import { openEngines } from "../src/engines/open.ts";
import { runtimeHost } from "../src/host/runtime.ts";
import { judge } from "../src/judge.ts";
import { tiny } from "./tiny.ts";

const small = families
  .filter(({ cases }) => cases[0]?.task.op !== "network")
  .map(({ cases }) => tiny(cases[0] as Case));
/** Weights that rotate: 64 MiB of them, so with our engines only. */
const rotating = allCases().filter(({ task, quick }) => task.op === "gemm" && task.cold && quick);
const { engines, absent } = await openEngines(sources, runtimeHost("node", [2]));
afterAll(() => {
  for (const engine of engines) engine.dispose?.();
});

describe.each(engines)("$name", (engine) => {
  for (const of of engine.name.startsWith("lowbit:") ? [...small, ...rotating] : small) {
    const supported = engine.supports(of);
    if (supported !== true) continue;
    test(of.id, async () => {
      const tensors = familyOf(of).tensors(of);
      const prepared = await engine.prepare(of, tensors);
      // Twice: what a run leaves behind must not reach the next.
      await prepared.run();
      await prepared.run();
      expect(judge(of, tensors, await prepared.answer())).toMatchObject({ right: true });
      prepared.dispose();
    });
  }
  test("does at least one case of the suite, and says in words why not another", () => {
    const answers = allCases().map((of) => engine.supports(of));
    expect(answers).toContain(true);
    for (const answer of answers) if (answer !== true) expect(answer).toMatch(/\w/);
  });
});

for (const { name, absent: reason } of absent) describe.skip(`${name} (${reason})`, () => test("absent", () => {}));
