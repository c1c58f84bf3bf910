import { describe, expect, test } from "vitest";
import { type BenchOptions, bench } from "../src/driver.ts";
import type { Event, Job } from "../src/job.ts";
import type { Platform } from "../src/platforms/index.ts";
import { parseRecord } from "../src/record.ts";
import type { Outcome } from "../src/run.ts";

const info = { version: "Fake 1", isolated: false, processors: 1, tiers: ["scalar"], limits: {} };
const outcome = (id: string): Outcome => ({
  ...{ kind: "timed", case: id, engine: "lowbit:scalar", medianMs: 1, minMs: 1, q1Ms: 1, q3Ms: 1 },
  ...{ rounds: 3, iterations: 1, gmacs: 1, checksum: "0123456789abcdef" },
});

/** What a child process would do: asks for its job, and sends events until told to stop. */
function fake(
  name: string,
  options: { diesAt?: string[]; onCase?: (id: string) => void; launches?: Job[] } = {},
): Platform {
  const dead = new Set<string>();
  return {
    name,
    find: () => ({
      async launch(server) {
        let stopped = false;
        const send = async (event: Event) => {
          const { status } = await fetch(`${server}events/${name}`, { method: "POST", body: JSON.stringify(event) });
          return status === 200;
        };
        const ended = (async () => {
          const job = (await (await fetch(`${server}job/${name}`)).json()) as Job;
          options.launches?.push(job);
          await send({ type: "start", info, versions: {}, absent: [{ name: "peer", absent: "not installed" }] });
          for (const [index, id] of job.cases.entries()) {
            if (stopped || !(await send({ type: "case", case: id, index, count: job.cases.length })))
              return "told to stop";
            options.onCase?.(id);
            if (options.diesAt?.includes(id) && !dead.has(id)) {
              dead.add(id);
              return "ended with SIGSEGV";
            }
            await send({ type: "outcomes", case: id, outcomes: [outcome(id)] });
          }
          await send({ type: "end" });
          return "ended with 0";
        })();
        return {
          ended,
          async stop() {
            stopped = true;
            await ended;
          },
        };
      },
    }),
  };
}

const run = (catalogue: Platform[], options: Partial<BenchOptions> = {}) =>
  bench({
    ...{ catalogue, quick: true, platforms: ["all"], filter: "gemm" },
    ...{ command: "test", versions: {}, machine: "test", ...options },
  });

describe("bench", () => {
  test("runs every platform in turn, and skips by name what is absent", async () => {
    const notes: string[] = [];
    const seen: string[] = [];
    const absent: Platform = { name: "nowhere", find: () => ({ absent: "no such browser" }) };
    const record = await run([fake("one"), absent, fake("two")], {
      ...{
        onNote: (note) => notes.push(note),
        onProgress: ({ platform, done, of }) => seen.push(`${platform} ${done}/${of}`),
      },
    });
    expect(parseRecord(JSON.parse(JSON.stringify(record)))).toEqual(record);
    const count = new Set(record.results.map((each) => each.case)).size;
    expect(count).toBeGreaterThan(3);
    expect(record.results).toHaveLength(2 * count);
    expect(record.platforms).toMatchObject([
      { name: "nowhere", skipped: "no such browser" },
      { name: "one", info },
      { name: "two", info },
    ]);
    expect(notes).toContain("nowhere: skipped, no such browser");
    expect(notes).toContain("one: no peer: not installed");
    expect(seen).toEqual(Array.from({ length: 2 * count }, (_, i) => `${i < count ? "one" : "two"} ${i}/${2 * count}`));
  });

  test("the quick suite runs on one platform that is here, and on all by that name", async () => {
    const absent: Platform = { name: "zero", find: () => ({ absent: "not here" }) };
    const names = async (options: object) =>
      (await run([absent, fake("one"), fake("node24")], options)).platforms.map(({ name }) => name);
    expect(await names({ platforms: undefined })).toEqual(["node24"]);
    expect(await names({})).toEqual(["zero", "one", "node24"]);
  });

  test("--platforms chooses, and an unknown one is named", async () => {
    const record = await run([fake("one"), fake("two")], { platforms: ["two"] });
    expect(new Set(record.results.map(({ platform }) => platform))).toEqual(new Set(["two"]));
    await expect(run([fake("one")], { platforms: ["three"] })).rejects.toThrow("no platform three; there are one, all");
    await expect(run([fake("one")], { filter: "nothing-like-it" })).rejects.toThrow("no case matches nothing-like-it");
  });

  test("a case that its process does not survive is marked, and the rest goes on in another", async () => {
    const launches: Job[] = [];
    const notes: string[] = [];
    const victim = "int8_gemm/64x1024x1024";
    const record = await run([fake("one", { diesAt: [victim], launches })], { onNote: (note) => notes.push(note) });
    expect(launches).toHaveLength(2);
    expect(launches[1]?.cases).not.toContain(victim);
    expect(record.untimed).toMatchObject([
      { case: victim, kind: "failed", reason: expect.stringContaining("SIGSEGV") },
    ]);
    expect(record.results.map((each) => each.case)).not.toContain(victim);
    expect(new Set([...record.results, ...record.untimed].map((each) => each.case))).toEqual(
      new Set(launches[0]?.cases),
    );
    expect(notes.some((note) => note.includes(victim))).toBe(true);
  });

  test("of the full suite each family has a process of its own", async () => {
    const launches: Job[] = [];
    const record = await run([fake("one", { launches })], { quick: false });
    const families = launches.map(({ cases }) => [...new Set(cases.map((id) => id.split("/")[0]))]);
    expect(families.every((each) => each.length === 1)).toBe(true);
    expect(new Set(families.flat()).size).toBe(launches.length);
    expect(launches.flatMap(({ cases }) => cases)).toEqual(record.results.map((each) => each.case));
  });

  test("all cases run once before any runs in a second process", async () => {
    const launches: Job[] = [];
    const seen: string[] = [];
    const onProgress: BenchOptions["onProgress"] = ({ done, of }) => seen.push(`${done}/${of}`);
    const options = { quick: false, processes: 2, onProgress };
    const record = await run([fake("one", { launches })], options);
    const cases = launches.flatMap((each) => each.cases);
    expect(cases).toEqual([...record.results, ...record.results].map((each) => each.case));
    expect(seen.at(-1)).toBe(`${cases.length - 1}/${cases.length}`);
    const more = await run([fake("one", { launches: [] })], { ...options, previous: record });
    expect(more.results).toEqual(record.results);
  });

  test("a platform that cannot start is skipped with its words", async () => {
    const broken: Platform = {
      name: "broken",
      find: () => ({ launch: () => Promise.reject(new Error("no display")) }),
    };
    const record = await run([broken, fake("two")]);
    expect(record.platforms).toMatchObject([
      { name: "broken", skipped: "no display" },
      { name: "two", info },
    ]);
  });

  test("an abort keeps what was measured, and --resume does only the rest", async () => {
    const stop = new AbortController();
    let cases = 0;
    const first = await run([fake("one", { onCase: () => ++cases === 2 && stop.abort() }), fake("two")], {
      signal: stop.signal,
    });
    expect(first.results.length).toBeLessThan(3);
    const launches: Job[] = [];
    const second = await run([fake("one", { launches }), fake("two")], { previous: JSON.parse(JSON.stringify(first)) });
    for (const { case: id } of first.results) expect(launches[0]?.cases).not.toContain(id);
    expect(second.results).toHaveLength(2 * new Set(second.results.map((each) => each.case)).size);
  });

  test("after its seconds no case begins", async () => {
    const notes: string[] = [];
    const record = await run([fake("one")], { seconds: -1, onNote: (note) => notes.push(note) });
    expect(record.results).toEqual([]);
    expect(notes.at(-1)).toMatch(/^\d+ cases left, --resume/);
  });
});
