import { describe, expect, test } from "vitest";
import { familyOf } from "../src/cases/index.ts";
import { type Effort, runCase, type Timed } from "../src/run.ts";
import { Clock, fakeEngine, smallCase } from "./fake.ts";

const effort: Effort = { rounds: 5, warmUpMs: 10, turnMs: 4, engineMs: 1000 };
const of = smallCase();

describe("runCase", () => {
  test("medians, quartiles and rates come from the clock, per run", async () => {
    const clock = new Clock();
    // Warm-up at 2 ms a run; afterwards one turn of two runs in three is slow.
    const slow = fakeEngine(clock, { name: "a", ms: (run) => (run > 12 && run % 3 === 0 ? 8 : 2) });
    const [outcome] = (await runCase(of, [slow], { effort, now: clock.now })) as [Timed];
    expect(outcome).toMatchObject({ kind: "timed", engine: "a", case: of.id, iterations: 2, rounds: 5, minMs: 2 });
    expect(outcome.q1Ms).toBeGreaterThanOrEqual(outcome.minMs);
    expect(outcome.q3Ms).toBeGreaterThanOrEqual(outcome.medianMs);
    expect(outcome.gmacs).toBeCloseTo(2 ** 20 / outcome.medianMs / 1e6, 12);
    expect(outcome.checksum).toBe(of.checksum);
  });

  test("rounds are interleaved, and each begins with the next engine", async () => {
    const clock = new Clock();
    const engines = ["a", "b", "c"].map((name) => fakeEngine(clock, { name, ms: 4 }));
    await runCase(of, engines, { effort, now: clock.now });
    expect(clock.runs.slice(-15).join("")).toBe("abcbcacababcbca");
  });

  test("something else may be measured behind every round", async () => {
    const clock = new Clock();
    const engines = ["a", "b"].map((name) => fakeEngine(clock, { name, ms: 4 }));
    await runCase(of, engines, { effort, now: clock.now, afterRound: () => clock.runs.push("-") });
    expect(clock.runs.slice(-15).join("")).toBe("ab-ba-ab-ba-ab-");
  });

  test("an engine that is slow gets fewer rounds, and at least three", async () => {
    const clock = new Clock();
    const engines = [1, 300, 4000].map((ms) => fakeEngine(clock, { name: `${ms}`, ms }));
    const outcomes = await runCase(of, engines, { effort, now: clock.now });
    expect(outcomes.map((outcome) => (outcome as Timed).rounds)).toEqual([5, 3, 3]);
  });

  test("an engine in another process is asked for its own time", async () => {
    const clock = new Clock();
    const engine = fakeEngine(clock, { name: "native:x", ms: 99 });
    const { prepare } = engine;
    const asked: number[] = [];
    engine.prepare = async (c, tensors) => ({
      ...(await prepare(c, tensors)),
      async time(iterations: number) {
        asked.push(iterations);
        return iterations * 0.5;
      },
    });
    const [outcome] = (await runCase(of, [engine], { effort, now: clock.now })) as [Timed];
    expect(outcome.medianMs).toBe(0.5);
    expect(outcome.iterations).toBe(8);
    expect(asked.slice(-5)).toEqual([8, 8, 8, 8, 8]);
  });
});

describe("a wrong answer voids its timing", () => {
  const check = async (fake: Parameters<typeof fakeEngine>[1]) => {
    const clock = new Clock();
    const engines = [fakeEngine(clock, fake), fakeEngine(clock, { name: "right", ms: 1 })];
    const outcomes = await runCase(of, engines, { effort, now: clock.now });
    expect(outcomes[1]).toMatchObject({ kind: "timed", engine: "right" });
    expect(engines.map(({ disposed }) => disposed)).toEqual([1, 1]);
    expect(outcomes[0]).not.toHaveProperty("medianMs");
    return outcomes[0];
  };
  const sums = (change: (values: Float32Array) => void, tolerance: number, range?: readonly [number, number]) => ({
    ...{ name: "peer", ms: 1 },
    answer: (c: typeof of, tensors: Parameters<ReturnType<typeof familyOf>["sums"]>[1]) => {
      const data = Float32Array.from(familyOf(c).sums(c, tensors));
      change(data);
      return { kind: "sums" as const, data, tolerance, ...(range && { range }) };
    },
  });

  test("one integer off by one", async () => {
    const wrong = await check({
      ...{ name: "a", ms: 1 },
      answer(c, tensors) {
        const data = familyOf(c).result(c, tensors, familyOf(c).sums(c, tensors)) as Int32Array;
        data[1023]! += 1;
        return { kind: "exact", data };
      },
    });
    expect(wrong).toMatchObject({ kind: "wrong", engine: "a", reason: expect.stringContaining(of.checksum as string) });
  });

  test("right at first, wrong after the rounds", async () => {
    const wrong = await check({
      ...{ name: "a", ms: 1 },
      answer: (c, tensors, run) => ({
        kind: "exact",
        data: run > 1 ? new Int32Array(1024) : familyOf(c).result(c, tensors, familyOf(c).sums(c, tensors)),
      }),
    });
    expect(wrong).toMatchObject({ kind: "wrong", reason: expect.stringMatching(/^after the rounds/) });
  });

  test("sums beyond their tolerance, the wrong number of them, and NaN", async () => {
    const spoil = (change: (values: Float32Array) => void) => check(sums(change, 0.5));
    expect(await spoil((y) => y.fill(0))).toMatchObject({
      kind: "wrong",
      reason: expect.stringMatching(/expected .* ± 0.5/),
    });
    expect(await spoil((y) => y.fill(Number.NaN))).toMatchObject({ kind: "wrong" });
    const short = {
      ...sums(() => {}, 1),
      answer: () => ({ kind: "sums" as const, data: new Float32Array(3), tolerance: 1 }),
    };
    expect(await check(short)).toMatchObject({ kind: "wrong", reason: "3 outputs, expected 1024" });
  });

  test("sums within their tolerance are timed, also where the engine saturates", async () => {
    const clock = new Clock();
    const close = sums((y) => y.set(y.map((value, i) => value + (i % 2 ? 0.4 : -0.4))), 0.5);
    const clamped = sums((y) => y.set(y.map((value) => Math.max(-100, Math.min(100, value)))), 0.5, [-100, 100]);
    const outcomes = await runCase(of, [fakeEngine(clock, close), fakeEngine(clock, { ...clamped, name: "b" })], {
      ...{ effort, now: clock.now },
    });
    expect(outcomes.map(({ kind }) => kind)).toEqual(["timed", "timed"]);
  });

  test("an engine that cannot is skipped by its reason, one that throws failed by its message", async () => {
    const clock = new Clock();
    const outcomes = await runCase(
      of,
      [
        fakeEngine(clock, { name: "a", ms: 1, supports: "no ternary" }),
        fakeEngine(clock, { name: "b", ms: 1, fails: "boom" }),
      ],
      { effort, now: clock.now },
    );
    expect(outcomes).toEqual([
      { kind: "skipped", case: of.id, engine: "a", reason: "no ternary" },
      { kind: "failed", case: of.id, engine: "b", reason: "boom" },
    ]);
    expect(clock.runs).toEqual([]);
  });

  test("an abort ends between two turns, and what was prepared is disposed of", async () => {
    const clock = new Clock();
    const stop = new AbortController();
    const engine = fakeEngine(clock, {
      name: "a",
      ms: (run) => {
        if (run === 12) stop.abort();
        return 1;
      },
    });
    await expect(runCase(of, [engine], { effort, now: clock.now, signal: stop.signal })).rejects.toThrow(/abort/i);
    expect(engine.disposed).toBe(1);
    expect(engine.runs).toBeLessThan(20);
  });
});
