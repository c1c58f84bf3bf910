import { describe, expect, test } from "vitest";
import { allCases } from "../src/cases/index.ts";
import { Collector } from "../src/collect.ts";
import { slug, thisMachine } from "../src/machine.ts";
import { formatRecord, parseRecord } from "../src/record.ts";
import type { Outcome } from "../src/run.ts";

const info = { version: "Node 24", isolated: true, processors: 2, tiers: ["simd128"], limits: { f32: 5 } };
const timed = (id: string, engine: string, medianMs: number): Outcome => ({
  ...{ kind: "timed", case: id, engine, medianMs, minMs: medianMs, q1Ms: medianMs, q3Ms: medianMs },
  ...{ rounds: 5, iterations: 1, gmacs: 1, checksum: "0123456789abcdef" },
});
type Spoilable = ReturnType<typeof parseRecord>;
const [first, second] = allCases().map(({ id }) => id) as [string, string];

function collected(): Collector {
  const collector = new Collector(thisMachine("Test Machine"), "lowbit bench", { lowbit: "1.2.3" });
  collector.add("node24", {
    type: "start",
    info,
    versions: { "peer:x": "9" },
    absent: [{ name: "y", absent: "not installed" }],
  });
  collector.add("node24", {
    ...{ type: "outcomes", case: first },
    outcomes: [
      timed(first, "lowbit:simd128", 1),
      { kind: "wrong", case: first, engine: "peer:x", reason: "checksum", checksum: "fedcba9876543210" },
      { kind: "skipped", case: first, engine: "naive", reason: "too large" },
    ],
  });
  collector.skip("webkit", "no driver");
  return collector;
}

describe("records", () => {
  test("what is written is read again, and keeps times, wrong answers, skips and absences apart", () => {
    const { record } = collected();
    const read = parseRecord(JSON.parse(formatRecord(record)));
    expect(read).toEqual(record);
    expect(read.results.map(({ engine, platform }) => [engine, platform])).toEqual([["lowbit:simd128", "node24"]]);
    expect(read.untimed).toMatchObject([{ engine: "peer:x", kind: "wrong", reason: "checksum", platform: "node24" }]);
    expect(read.untimed[0]).not.toHaveProperty("medianMs");
    expect(read.skipped).toEqual([{ engine: "naive", reason: "too large", cases: [first] }]);
    expect(read.platforms).toMatchObject([
      { name: "node24", absent: [{ name: "y" }] },
      { name: "webkit", skipped: "no driver" },
    ]);
    expect(read.versions).toEqual({ lowbit: "1.2.3", "peer:x": "9" });
  });

  test("a result to a line", () => {
    const lines = formatRecord(collected().record).split("\n");
    expect(lines.filter((line) => line.includes('"medianMs"'))).toHaveLength(1);
  });

  test("of a case that is run again each engine keeps its faster time, and a wrong one stays wrong", () => {
    const collector = collected();
    const again = (...outcomes: Outcome[]) => collector.add("node24", { type: "outcomes", case: first, outcomes });
    collector.add("node24", { type: "outcomes", case: second, outcomes: [timed(second, "lowbit:simd128", 2)] });
    again(timed(first, "lowbit:simd128", 3), timed(first, "naive", 9), timed(first, "peer:x", 1));
    again(timed(first, "lowbit:simd128", 0.5), timed(first, "naive", 10));
    const { results, untimed } = collector.record;
    const known = results.map((each) => [each.case, each.engine, each.medianMs, each.processes]);
    expect(known).toEqual([
      [second, "lowbit:simd128", 2, undefined],
      [first, "lowbit:simd128", 0.5, 3],
      [first, "naive", 9, 2],
    ]);
    expect(untimed).toMatchObject([{ case: first, engine: "peer:x", kind: "wrong" }]);
    again({ kind: "wrong", case: first, engine: "naive", reason: "checksum" });
    expect(collector.record.results.map(({ engine }) => engine)).not.toContain("naive");
  });

  test("a record is gone on with", () => {
    const { record } = collected();
    const next = new Collector(thisMachine("Other"), "lowbit bench --resume", { lowbit: "1.2.4" }, record);
    expect(next.record.machine.name).toBe("test-machine");
    expect(next.record.commands).toEqual(["lowbit bench", "lowbit bench --resume"]);
    const processes = (platform: string, id: string) => next.processes(platform, id);
    expect([processes("node24", first), processes("node24", second), processes("deno", first)]).toEqual([1, 0, 0]);
  });

  test.each([
    ["a time of 0", (r: Spoilable) => ({ ...r, results: [{ ...r.results[0], medianMs: 0 }] })],
    ["a checksum of words", (r: Spoilable) => ({ ...r, results: [{ ...r.results[0], checksum: "right" }] })],
    ["another format", (r: Spoilable) => ({ ...r, format: 2 })],
    ["a machine that is a path", (r: Spoilable) => ({ ...r, machine: { ...r.machine, name: "../x" } })],
    ["nothing", () => null],
  ])("%s is refused by name", (_, spoil) => {
    const spoilt = spoil(JSON.parse(formatRecord(collected().record)));
    expect(() => parseRecord(spoilt)).toThrow(/^benchmark record: /);
  });
});

describe("machine names", () => {
  test.each([
    ["Intel(R) Xeon(R) Platinum 8370C CPU @ 2.80GHz", "intel-xeon-platinum-8370c"],
    ["AMD EPYC 9R14 96-Core Processor", "amd-epyc-9r14"],
    ["Apple M3 Pro", "apple-m3-pro"],
    ["../../etc", "etc"],
    ["", "machine"],
  ])("%s is %s", (cpu, name) => expect(slug(cpu)).toBe(name));
  test("this one has a name", () => expect(thisMachine().name).toMatch(/^[a-z0-9-]+-\d+-cores?$/));
});
