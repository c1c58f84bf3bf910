/** Engines whose clock is the test's: a run of `ms` moves it by `ms`. */
import type { Case, Tensors } from "../src/case.ts";
import { allCases, familyOf } from "../src/cases/index.ts";
import type { Answer, Engine } from "../src/engine.ts";

export class Clock {
  time = 1000;
  /** Names of the engines in the order in which they ran. */
  readonly runs: string[] = [];
  now = (): number => this.time;
}

export const smallCase = (): Case => allCases().find(({ id }) => id === "ternary_gemv/1x1024x1024") as Case;

export const exactAnswer = (of: Case, tensors: Tensors): Answer => ({
  kind: "exact",
  data: familyOf(of).result(of, tensors, familyOf(of).sums(of, tensors)),
});

export interface Fake {
  readonly name: string;
  readonly ms: number | ((run: number) => number);
  readonly answer?: (of: Case, tensors: Tensors, run: number) => Answer;
  readonly supports?: true | string;
  readonly fails?: string;
}

export function fakeEngine(clock: Clock, fake: Fake): Engine & { disposed: number; runs: number } {
  const { name, ms, answer = exactAnswer, supports = true } = fake;
  const engine = {
    name,
    disposed: 0,
    runs: 0,
    supports: () => supports,
    async prepare(of: Case, tensors: Tensors) {
      if (fake.fails !== undefined) throw new Error(fake.fails);
      return {
        run() {
          clock.time += typeof ms === "number" ? ms : ms(engine.runs);
          clock.runs.push(name);
          engine.runs++;
        },
        answer: () => answer(of, tensors, engine.runs),
        dispose() {
          engine.disposed++;
        },
      };
    },
  };
  return engine;
}
