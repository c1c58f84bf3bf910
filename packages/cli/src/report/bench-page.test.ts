import type { BenchRecord, Result } from "@lowbit/bench";
import { describe, expect, test } from "vitest";
import { benchRows, enginesOf, isPeer, shortVersion, timesAsFast } from "./bench-figures.ts";
import { benchPage } from "./bench-page.ts";
import { benchSource, benchTable } from "./bench-table.ts";

const result = (id: string, engine: string, platform: string, medianMs: number): Result => ({
  ...{ case: id, engine, platform, medianMs, minMs: medianMs * 0.9, q1Ms: medianMs * 0.95, q3Ms: medianMs * 1.1 },
  ...{ rounds: 7, iterations: 3, gmacs: 100 / medianMs, checksum: "0123456789abcdef" },
  ...(engine.startsWith("lowbit:") && { ofLimit: 0.5, limit: "relaxedDot" }),
});
const limits = { relaxedDot: 3, readMemory: 10 };
const info = { version: "V <1>", isolated: true, processors: 2, tiers: ["scalar", "relaxed"], limits };

/** Two families, two platforms, a peer on one of them, one wrong answer. */
const record: BenchRecord = {
  format: 1,
  machine: { name: "test-2-cores", cpu: "Test & Sons", cores: 2, os: "linux" },
  started: "2026-11-25T10:00:00.000Z",
  ended: "2026-11-25T10:05:00.000Z",
  commands: ["lowbit bench --quick"],
  versions: { lowbit: "1.2.3", "litert:int8": "2.5.3" },
  revision: "abcdef123456",
  platforms: [
    { name: "node20", info, absent: [{ name: "litert", absent: "not installed: npm install @litertjs/core" }] },
    { name: "chromium", info, absent: [] },
    { name: "webkit", absent: [], skipped: "no WebKitWebDriver" },
  ],
  families: [
    { name: "int8_gemm", title: "int8 matrix product", unit: "MAC" },
    { name: "xnor_gemm", title: "Binary matrix product", unit: "MAC" },
  ],
  results: [
    result("xnor_gemm/1x2x3", "lowbit:scalar", "node20", 4),
    result("xnor_gemm/1x2x3", "lowbit:relaxed", "chromium", 1),
    result("xnor_gemm/1x2x3", "lowbit:relaxed:2", "chromium", 0.5),
    result("xnor_gemm/1x2x3", "litert:int8", "chromium", 3),
    result("int8_gemm/4x5x6", "lowbit:relaxed", "chromium", 2),
    result("int8_gemm/4x5x6", "lowbit:scalar", "chromium", 20),
    result("int8_gemm/4x5x6", "litert:int8", "chromium", 3),
    result("int8_gemm/4x5x6", "float", "chromium", 8),
  ],
  untimed: [
    { case: "int8_gemm/4x5x6", engine: "peer", platform: "chromium", kind: "wrong", reason: "output 3 is 1 < 2" },
  ],
  skipped: [{ engine: "naive", reason: "too large", cases: ["int8_gemm/4x5x6"] }],
};

describe("rows of a record", () => {
  const rows = benchRows(record);

  test("one per case and platform, families and platforms in the record's order, our fastest single thread beside the rest", () => {
    expect(rows.map(({ ours, platform }) => [ours.case, platform, ours.engine])).toEqual([
      ["int8_gemm/4x5x6", "chromium", "lowbit:relaxed"],
      ["xnor_gemm/1x2x3", "node20", "lowbit:scalar"],
      ["xnor_gemm/1x2x3", "chromium", "lowbit:relaxed"],
    ]);
  });

  test("times as fast are of the same case and platform", () => {
    expect(timesAsFast(rows[0]!, "litert:int8")).toBe(1.5);
    expect(timesAsFast(rows[1]!, "litert:int8")).toBeUndefined();
    expect(timesAsFast(rows[2]!, "litert:int8")).toBe(3);
  });

  test("peers are neither ours nor the float and naive versions", () => {
    expect(enginesOf(rows, isPeer)).toEqual(["litert:int8"]);
  });
});

describe("the page", () => {
  const page = benchPage(record);

  test("is one file that needs nothing else", () => {
    expect(page).toMatch(/^<!doctype html>/);
    expect(page).not.toMatch(/<script|<link|src="|@import|url\(/);
  });

  test("names machine, versions, commands, and everything that has no time with its reason", () => {
    for (const text of [
      "Test &amp; Sons",
      "abcdef123456",
      "lowbit bench --quick",
      "2.5.3",
      "V &lt;1&gt;",
      "no WebKitWebDriver",
    ])
      expect(page).toContain(text);
    expect(page).toContain("output 3 is 1 &lt; 2");
    expect(page).toContain("not installed: npm install @litertjs/core");
    expect(page).toContain("too large");
  });

  test("shows the figures: geometric mean over the peer, shares of the limit, threads", () => {
    // sqrt(1.5 * 3)
    expect(page).toMatch(/<b>2\.1 ×<\/b><span>as fast as litert:int8, geometric mean of 2 cases/);
    expect(page).toContain("50 % of relaxed dot");
    expect(page).toContain("<h2>Threads</h2>");
    expect(page.match(/<svg/g)?.length).toBe(5);
  });

  test("no wrong answer, no peer, one platform: those parts are left out", () => {
    const bare = benchPage({
      ...record,
      ...{ untimed: [], platforms: record.platforms.slice(1, 2) },
      results: record.results.filter(({ engine }) => engine === "lowbit:relaxed"),
    });
    expect(bare).toContain("No answer was wrong, and nothing failed.");
    expect(bare).not.toContain("Against other runtimes");
    expect(bare).not.toContain("By platform");
  });
});

test("the table of a README: our best per case, times as fast as the peers", () => {
  expect(benchTable(record, { platform: "chromium", families: ["xnor_gemm"] })).toBe(
    [
      "| case | G/s | of limit | × litert:int8 |",
      "| --- | --: | --: | --: |",
      "| `xnor_gemm/1x2x3` | 100 | 50 % | 3.0 × |",
    ].join("\n"),
  );
  expect(benchSource(record, "r.json", "chromium")).toBe(
    "Test & Sons, 2 cores, 2026-11-25, V <1>, one thread, medians of interleaved rounds ([the record](r.json), revision abcdef123456).",
  );
  const again = { ...record, results: record.results.map((each) => ({ ...each, processes: 2 })) };
  expect(benchSource(again, "r.json", "chromium")).toContain("interleaved rounds, the fastest of 2 processes (");
});

test.each([
  ["Node 24.21.0, V8 13.6", "Node 24.21.0, V8 13.6"],
  [
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) HeadlessChrome/156.0.0.0 Safari/537.36",
    "Chromium 156",
  ],
  ["Mozilla/5.0 (X11; Linux x86_64; rv:153.0) Gecko/20100101 Firefox/153.0", "Firefox 153"],
  [
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/60.5 Safari/605.1.15",
    "WebKit, Safari 60.5",
  ],
])("%s is short for %s", (version, short) => expect(shortVersion(version)).toBe(short));
