/** Runs drawn problems on every tier: each must give what plain arithmetic gives, and all the same bits. */
import type { KernelInstance } from "../../src/kernels/instance.ts";
import { Draw } from "./draw.ts";
import { type Fuzzed, fuzzers } from "./families.ts";
import type { Problem, Values } from "./problem.ts";

export const families = Object.keys(fuzzers) as Fuzzed[];

/** A difference, with what repeats it. */
export class Difference extends Error {
  override readonly name = "Difference";
}

/** The problem of a family that a seed stands for. */
export function problemOf(family: Fuzzed, seed: number): Problem {
  const draw = new Draw(seed);
  const list = fuzzers[family];
  return list[draw.integer(0, list.length - 1)]!(draw);
}

/**
 * @param instances one per tier, scalar first
 * @throws Difference with the family, the seed and the command that repeats it
 */
export function check(family: Fuzzed, seed: number, instances: readonly KernelInstance[]): void {
  const problem = problemOf(family, seed);
  const fail = (what: string): never => {
    const repeat = `node scripts/fuzz-wasm.mjs --family ${family} --seed ${seed} --cases 1`;
    throw new Difference(`${family} (${problem.text}): ${what}\n  ${repeat}`);
  };
  const expected = problem.expected();
  let first: Values | undefined;
  for (const instance of instances) {
    const got = attempt(
      () => problem.run(instance),
      (error) => fail(`${instance.tier} throws ${error}`),
    );
    if (got.length !== expected.length) fail(`${instance.tier} gives ${got.length} elements, not ${expected.length}`);
    first ??= got;
    for (let i = 0; i < got.length; i++) {
      if (!agrees(got[i]!, expected[i]!, problem.tolerance))
        fail(`element ${i} is ${got[i]} in tier ${instance.tier}, ${expected[i]} by plain arithmetic`);
      if (!Object.is(got[i], first[i]))
        fail(`element ${i} is ${got[i]} in tier ${instance.tier}, ${first[i]} in scalar`);
    }
  }
}

function attempt<T>(action: () => T, failed: (error: unknown) => never): T {
  try {
    return action();
  } catch (error) {
    return failed(error);
  }
}

function agrees(got: number, expected: number, tolerance: number | undefined): boolean {
  if (tolerance === undefined) return got === expected || (Number.isNaN(got) && Number.isNaN(expected));
  return Math.abs(got - expected) <= tolerance * Math.max(1, Math.abs(expected));
}
