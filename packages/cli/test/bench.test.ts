/** `lowbit bench` as a user types it. Nothing here looks at a time. */

import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseRecord } from "@lowbit/bench";
import { afterAll, describe, expect, test } from "vitest";
import { lowbit, lowbitIn } from "./lowbit.ts";

const folder = mkdtempSync(join(tmpdir(), "lowbit-bench-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const platform = `node${process.versions.node.split(".")[0]}`;
const small = [
  "bench",
  "--filter",
  "xnor_gemm/16x1024x1024",
  "--peers",
  "none",
  "--platforms",
  platform,
  "--threads",
  "1",
];

describe("lowbit bench", () => {
  // The platforms are Node 20 and 24; another Node can only be told so.
  const here = ["node20", "node24"].includes(platform) ? test : test.skip;

  here("--json is an array, a result to a line, and --out a record with a report", async () => {
    const out = join(folder, "r.json");
    const { code, stdout, stderr } = await lowbit(...small, "--json", "--out", out);
    // What is not to be had is named beside the JSON.
    for (const line of stderr.split("\n").filter(Boolean)) expect(line).toMatch(/^node20: no lowbit:relaxed: /);
    expect(code).toBe(0);
    const results = JSON.parse(stdout);
    expect(stdout.trim().split("\n")).toHaveLength(results.length + 2);
    expect(results.length).toBeGreaterThan(1);
    for (const result of results)
      expect(result).toMatchObject({
        ...{ case: "xnor_gemm/16x1024x1024", engine: expect.any(String), platform },
        ...{ medianMs: expect.any(Number), gmacs: expect.any(Number), checksum: expect.any(String) },
      });
    // A float engine answers in sums of its own rounding; the others owe the same bits.
    const exact = results.filter(({ engine }: { engine: string }) => engine !== "float");
    expect(new Set(exact.map(({ checksum }: { checksum: string }) => checksum)).size).toBe(1);
    expect(results.map(({ engine }: { engine: string }) => engine)).toEqual(
      expect.arrayContaining(["lowbit:scalar", "lowbit:simd128", "naive"]),
    );
    const record = parseRecord(JSON.parse(readFileSync(out, "utf8")));
    expect(record.results).toEqual(results);
    expect(record.commands).toEqual([`lowbit ${[...small, "--json", "--out", out].join(" ")}`]);
    expect(readFileSync(join(folder, "r.html"), "utf8")).toContain("xnor_gemm");
  });

  here("--resume runs nothing that the record holds", async () => {
    const out = join(folder, "r.json");
    const before = parseRecord(JSON.parse(readFileSync(out, "utf8")));
    const { code, stdout } = await lowbit(...small, "--out", out, "--resume");
    expect(code).toBe(0);
    expect(stdout).toContain("xnor_gemm/16x1024x1024");
    const after = parseRecord(JSON.parse(readFileSync(out, "utf8")));
    expect(after.results).toEqual(before.results);
    expect(after.commands).toHaveLength(2);
  });

  here("--record --resume goes on with the machine's newest record, on whichever day it was begun", async () => {
    const record = JSON.parse(readFileSync(join(folder, "r.json"), "utf8"));
    const records = join(folder, "bench", "record", "here");
    mkdirSync(records, { recursive: true });
    for (const day of ["2026-01-02", "2026-01-03"]) {
      const each = { ...record, machine: { ...record.machine, name: "here" }, started: `${day}T12:00:00.000Z` };
      writeFileSync(join(records, `${day}.json`), JSON.stringify(each));
    }
    const { code } = await lowbitIn(folder, ...small, "--record", "--resume", "--machine", "here");
    expect(code).toBe(0);
    expect(readdirSync(records).sort()).toEqual(["2026-01-02.json", "2026-01-03.html", "2026-01-03.json"]);
    const after = parseRecord(JSON.parse(readFileSync(join(records, "2026-01-03.json"), "utf8")));
    expect(after.results).toEqual(record.results);
    expect(after.commands.length).toBe(record.commands.length + 1);
  });

  // Browsers that the other tests do not run in: the suite judges every answer before it times one.
  test.for(["firefox", "webkit"])("%s gives right answers", { timeout: 90_000 }, async (browser, { skip }) => {
    const out = join(folder, `${browser}.json`);
    const some = "ternary_gemm/64,xnor_gemm/64,int8_gemm/64";
    const few = ["--filter", some, "--quick", "--peers", "none", "--threads", "1"];
    const { code } = await lowbit("bench", "--platforms", browser, ...few, "--out", out);
    expect(code).toBe(0);
    const { platforms, results, untimed } = parseRecord(JSON.parse(readFileSync(out, "utf8")));
    const absent = platforms.find(({ name }) => name === browser)?.skipped;
    if (absent !== undefined) skip(absent);
    expect(untimed.filter(({ kind }) => kind === "wrong")).toEqual([]);
    expect(results.map(({ engine }) => engine)).toEqual(expect.arrayContaining(["lowbit:scalar", "lowbit:simd128"]));
  });

  test.each([
    ["an unknown platform", ["--platforms", "netscape"], /no platform netscape; there are node20/],
    ["a filter without a case", ["--filter", "nothing-like-it"], /no case matches nothing-like-it/],
    ["two names for the record", ["--out", join(folder, "x.json"), "--record"], /--out and --record/],
    ["--resume of nothing", ["--resume"], /--resume needs/],
    ["seconds that are none", ["--for", "soon"], /--for: expected a number/],
    ["an unknown option", ["--fast"], /--fast/],
    ["an option without its value", ["--filter="], /--filter needs a value/],
    ["a folder that is not there", ["--out", join(folder, "no", "x.json")], /no such file or folder/],
    ["a broken record", ["--resume", "--out", join(import.meta.dirname, "..", "package.json")], /benchmark record/],
  ])("%s: one line, exit 2", async (_, args, message) => {
    const { code, stdout, stderr } = await lowbit("bench", ...args);
    expect(stderr).toMatch(message);
    expect(stderr.trim().split("\n")).toHaveLength(1);
    expect(stdout).toBe("");
    expect(code).toBe(2);
    expect(existsSync(join(folder, "x.json"))).toBe(false);
  });
});
