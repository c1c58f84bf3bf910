/** `lowbit compare` on the committed network: its figures are those of quantize and eval, and an interrupted run goes on. */

import { spawn } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { DIGITS, FLOAT, newFolder } from "./files.ts";
import { lowbit, lowbitJson } from "./lowbit.ts";

interface Row {
  readonly scheme: string;
  readonly bytes: number;
  readonly top1: number;
  readonly sqnr: number;
  readonly agreement: number;
  readonly bitsPerWeight: number;
  readonly msPerSample: number;
  readonly timesFloat: number;
  readonly refused?: string;
  readonly layers: readonly { readonly name: string; readonly scheme: string; readonly sqnr: number }[];
}

const folder = newFolder();
const path = (name: string) => join(folder, name);
const compare = ["compare", FLOAT, "--data", DIGITS];

describe("compare", () => {
  it("a row per scheme, in order; its file is the one that quantize writes, its figures those of quantize and eval", async () => {
    const rows = await lowbitJson<Row[]>(
      ...[...compare, "--schemes", "int8, binary ,kmeans:16,int8", "--calibrate", DIGITS],
      ...["-o", path("out"), "--report", path("r.html")],
    );
    expect(rows.map(({ scheme }) => scheme)).toEqual(["int8", "binary", "kmeans:16"]);
    const [int8, binary] = rows as [Row, Row, Row];
    expect(binary.refused).toContain("floor");
    expect(int8.refused).toBeUndefined();
    for (const { msPerSample, timesFloat } of rows) {
      expect(msPerSample).toBeGreaterThan(0);
      expect(timesFloat).toBeGreaterThan(0);
    }
    const quantized = await lowbitJson<Row>(
      ...["quantize", FLOAT, "-o", path("int8.safetensors"), "--weights", "int8", "--calibrate", DIGITS],
    );
    expect(int8).toMatchObject({ bytes: quantized.bytes, bitsPerWeight: quantized.bitsPerWeight });
    expect(int8.layers.map((l) => l.sqnr)).toEqual(quantized.layers.map((l) => l.sqnr));
    const files = [path("int8.safetensors"), path("out/int8.safetensors")].map((file) => readFileSync(file));
    expect(files[0]!.equals(files[1]!)).toBe(true);
    const judged = await lowbitJson<Row>("eval", path("int8.safetensors"), "--data", DIGITS, "--against", FLOAT);
    expect(int8).toMatchObject({ top1: judged.top1, agreement: judged.agreement });
    const page = readFileSync(path("r.html"), "utf8");
    for (const text of ["kmeans:16", "REFUSED", "Which layers suffer", "weights of dense1", "<svg"])
      expect(page).toContain(text);
  });

  it("--resume takes over what is finished, and only what is of this comparison", async () => {
    const args = [...compare, "--schemes", "int8,ternary", "-o", path("again"), "--jobs", "1"];
    const before = await lowbitJson<Row[]>(...args);
    const same = await lowbitJson<Row[]>(...args, "--resume");
    // Times and all: nothing was run.
    expect(same).toEqual(before);
    const file = path("again/results.json");
    const content = JSON.parse(readFileSync(file, "utf8")) as { entries: { key: string; figures: Row }[] };
    const marked = content.entries.map((entry) => ({ ...entry, figures: { ...entry.figures, msPerSample: 12345 } }));
    writeFileSync(file, JSON.stringify({ ...content, entries: marked }));
    expect((await lowbitJson<Row[]>(...args, "--resume")).map((row) => row.msPerSample)).toEqual([12345, 12345]);
    // With samples to calibrate on it is another one.
    const other = await lowbitJson<Row[]>(...args, "--calibrate", DIGITS, "--resume");
    for (const { msPerSample } of other) expect(msPerSample).toBeLessThan(12345);
    writeFileSync(file, "{");
    expect(await lowbit(...args, "--resume")).toMatchObject({
      code: 2,
      stderr: expect.stringContaining("results.json"),
    });
  });

  it("Ctrl-C ends it at once with 130 and leaves what is finished, which --resume does not do again", async () => {
    const out = path("cut");
    const args = [...compare, "--schemes", "int8,kmeans:256,kmeans:255,kmeans:254", "-o", out, "--jobs", "1"];
    const bin = process.env.LOWBIT_BIN ?? fileURLToPath(new URL("../bin/lowbit.js", import.meta.url));
    const child = spawn(process.execPath, [bin, ...args], { stdio: ["ignore", "ignore", "pipe"] });
    let stderr = "";
    child.stderr.setEncoding("utf8").on("data", (text) => {
      stderr += text;
    });
    const ended = new Promise<number | null>((resolve) => child.on("close", resolve));
    while (!existsSync(join(out, "results.json")) && child.exitCode === null)
      await new Promise((resolve) => setTimeout(resolve, 20));
    // In the middle of a write it ends as cleanly, but without a word.
    await new Promise((resolve) => setTimeout(resolve, 200));
    child.kill("SIGINT");
    expect(await ended).toBe(130);
    expect(stderr).toMatch(/interrupted/);
    const { entries } = JSON.parse(readFileSync(join(out, "results.json"), "utf8")) as { entries: unknown[] };
    expect(entries.length).toBeGreaterThanOrEqual(1);
    expect(entries.length).toBeLessThan(5);
    const rows = await lowbitJson<Row[]>(...[...compare, "--schemes", "int8", "-o", out, "--resume"]);
    expect(rows).toMatchObject([{ scheme: "int8" }]);
  });

  it.each([
    [["--schemes", "int9"], "int9"],
    [["--schemes", ","], "--schemes"],
    [["--schemes", "int8", "--resume"], "--resume needs -o"],
    [["--schemes", "int8", "--jobs", "0"], "--jobs"],
    [["--schemes", "int8", "--activations", "int8"], "--calibrate"],
  ])("%j is refused in one line before any work", async (args, expected) => {
    const { code, stderr } = await lowbit(...compare, ...args);
    expect(code).toBe(2);
    expect(stderr).toContain(expected);
    expect(stderr.trim().split("\n")).toHaveLength(1);
  });
});

describe("quantize --auto", () => {
  const auto = ["quantize", FLOAT, "--auto", "--calibrate", DIGITS, "--candidates", "int8,int4,ternary"];
  it("keeps --max-size with schemes of the candidates", async () => {
    const out = path("auto.safetensors");
    const made = await lowbitJson<Row>(...auto, "-o", out, "--max-size", "60000");
    expect(readFileSync(out).length).toBe(made.bytes);
    expect(made.bytes).toBeLessThanOrEqual(60_000);
    for (const { scheme } of made.layers) expect(["float", "int8", "int4", "ternary"]).toContain(scheme);
    // One scheme for all layers would be int4 with 62 kB or ternary, which is refused.
    expect(new Set(made.layers.map(({ scheme }) => scheme)).size).toBeGreaterThan(1);
  });

  it("writes nothing where no schemes keep the limit: exit 1, with what was reached", async () => {
    const out = path("none.safetensors");
    const { code, stderr } = await lowbit(...auto, "-o", out, "--max-size", "9000");
    expect(code).toBe(1);
    expect(stderr).toMatch(/the nearest has \d+ bytes of 9000\n$/);
    expect(existsSync(out)).toBe(false);
  });

  it("keeps --min-accuracy, by a smaller file than 8 bits", async () => {
    const args = ["-o", path("accurate.safetensors"), "--min-accuracy", "98.5", "--data", DIGITS];
    const { bytes } = await lowbitJson<Row>(...auto, ...args);
    expect(bytes).toBeLessThan(100_000);
    const { top1 } = await lowbitJson<Row>("eval", path("accurate.safetensors"), "--data", DIGITS);
    expect(top1).toBeGreaterThanOrEqual(0.985);
  });

  it.each([
    [[], "needs a limit"],
    [["--min-accuracy", "99"], "--data"],
    [["--max-size", "60000", "--weights", "int8"], "--weights"],
    [["--max-size", "60000", "--candidates", "int9"], "--candidates"],
  ])("%j is refused as a usage error", async (args, expected) => {
    const { code, stderr } = await lowbit(...auto, "-o", path("bad.safetensors"), ...args);
    expect(code).toBe(2);
    expect(stderr).toContain(expected);
  });
});
