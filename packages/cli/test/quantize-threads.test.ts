/** `lowbit quantize` on several threads, `--auto` too: the same bytes by any number of them, Ctrl-C, and going on where it was stopped. */

import { spawn } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { DIGITS, FLOAT, newFolder } from "./files.ts";
import { BIN, lowbit } from "./lowbit.ts";

const folder = newFolder();
const path = (name: string) => join(folder, name);
const quantize = (out: string, weights: string, ...rest: string[]) => [
  ...["quantize", FLOAT, "-o", path(out), "--weights", weights, "--calibrate", DIGITS, ...rest],
];

const finished = (layers: string): number =>
  existsSync(join(layers, "results.json"))
    ? (JSON.parse(readFileSync(join(layers, "results.json"), "utf8")) as { entries: unknown[] }).entries.length
    : 0;

/** Starts the command, and interrupts it when the folder of finished layers has its second: of the first the weights stay as they are. */
async function interrupted(args: readonly string[], layers: string): Promise<{ code: number | null; stderr: string }> {
  const child = spawn(process.execPath, [BIN, ...args], { stdio: ["ignore", "ignore", "pipe"] });
  let stderr = "";
  child.stderr.setEncoding("utf8").on("data", (text) => {
    stderr += text;
  });
  const ended = new Promise<number | null>((resolve) => child.on("close", resolve));
  while (finished(layers) < 2 && child.exitCode === null) await new Promise((resolve) => setTimeout(resolve, 10));
  child.kill("SIGINT");
  return { code: await ended, stderr };
}

describe("threads", () => {
  it.each(["gptq:4:g32", "stochastic:int4", "hkmeans:16"])(
    "%s: the file of 1 and of 3 threads is the same",
    async (scheme) => {
      const files = [];
      for (const jobs of ["1", "3"]) {
        const { code, stderr } = await lowbit(...quantize(`${jobs}.safetensors`, scheme, "--jobs", jobs));
        expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
        files.push(readFileSync(path(`${jobs}.safetensors`)));
      }
      expect(files[1]!.equals(files[0]!)).toBe(true);
      // Nothing stays behind.
      expect(readdirSync(folder).filter((name) => name.includes(".layers"))).toEqual([]);
    },
  );

  it("an error of a thread is the error of the command, by its name and its numbers", async () => {
    const { code, stderr } = await lowbit(...quantize("bad.safetensors", "pq:5x16", "--layer", "dense1=pq:5x16"));
    expect(code).toBe(2);
    expect(stderr).toContain("expected a multiple of 5, got 1568");
    expect(existsSync(path("bad.safetensors"))).toBe(false);
    expect(existsSync(path("bad.safetensors.layers"))).toBe(false);
  });
});

describe("Ctrl-C", () => {
  const long = (out: string, ...rest: string[]) => quantize(out, "aqlm:8x32x2", "--jobs", "1", ...rest);

  it("ends it with 130 and a word, the old output whole; --resume makes the file of a run that was not stopped", async () => {
    writeFileSync(path("old.safetensors"), "what was there");
    const layers = path("old.safetensors.layers");
    const { code, stderr } = await interrupted(long("old.safetensors"), layers);
    expect(code).toBe(130);
    expect(stderr).toContain("interrupted");
    expect(readFileSync(path("old.safetensors"), "utf8")).toBe("what was there");
    // No half file beside it.
    expect(readdirSync(folder).filter((name) => name.endsWith(".tmp"))).toEqual([]);
    expect([2, 3]).toContain(finished(layers));

    expect(await lowbit(...long("old.safetensors", "--resume"))).toMatchObject({ code: 0 });
    expect(existsSync(layers)).toBe(false);
    expect(await lowbit(...long("whole.safetensors"))).toMatchObject({ code: 0 });
    expect(readFileSync(path("old.safetensors")).equals(readFileSync(path("whole.safetensors")))).toBe(true);
  });

  it("--resume takes over finished layers, those of the same rules and samples alone", async () => {
    const layers = path("again.safetensors.layers");
    await interrupted(long("again.safetensors"), layers);
    const results = join(layers, "results.json");
    const content = JSON.parse(readFileSync(results, "utf8")) as { entries: { figures: { error: unknown } }[] };
    // Without figures it is a layer that stays as it is.
    const entries = content.entries.map((entry) => ({ ...entry, figures: { ...entry.figures, error: undefined } }));
    const marked = JSON.stringify({ ...content, entries });
    writeFileSync(results, marked);
    const conv2 = async (...args: string[]) => {
      const { code, stdout } = await lowbit(...long("again.safetensors", "--resume", "--json", ...args));
      const { layers } = JSON.parse(stdout) as { layers: { name: string; scheme: string }[] };
      return { code, scheme: layers.find(({ name }) => name === "conv2")?.scheme };
    };
    expect(await conv2()).toEqual({ code: 0, scheme: "float" });
    // Other rules: made anew.
    mkdirSync(layers);
    writeFileSync(results, marked);
    expect(await conv2("--correct-bias")).toEqual({ code: 0, scheme: "aqlm:8x32x2" });
    mkdirSync(layers);
    writeFileSync(results, "{");
    const failed = await lowbit(...long("again.safetensors", "--resume"));
    expect(failed).toMatchObject({ code: 2, stderr: expect.stringContaining("is not what lowbit quantize wrote") });
  });
});

describe("--auto", () => {
  const limited = (maxSize: number, out: string, candidates: string, ...rest: string[]) => [
    ...["quantize", FLOAT, "-o", path(out), "--auto", "--max-size", `${maxSize}`, "--calibrate", DIGITS],
    ...["--candidates", candidates, ...rest],
  ];
  const auto = (...args: [out: string, candidates: string, ...string[]]) => limited(60_000, ...args);
  const three = "gptq:4:g32,int8,ternary";

  it("the file of 1 and of 3 threads is the same, and nothing stays behind", async () => {
    const files = [];
    for (const jobs of ["1", "3"]) {
      const { code, stderr } = await lowbit(...auto(`auto-${jobs}.safetensors`, three, "--jobs", jobs));
      expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
      files.push(readFileSync(path(`auto-${jobs}.safetensors`)));
    }
    expect(files[1]!.equals(files[0]!)).toBe(true);
    expect(readdirSync(folder).filter((name) => name.startsWith("auto-") && name.includes(".layers"))).toEqual([]);
  });

  it("Ctrl-C ends it with 130; --resume makes the file of a run that was not stopped", async () => {
    const layers = path("stopped.safetensors.layers");
    const { code, stderr } = await interrupted(auto("stopped.safetensors", three, "--jobs", "1"), layers);
    expect(code).toBe(130);
    expect(stderr).toMatch(
      /\d+ finished layers are kept in .*stopped\.safetensors\.layers; --resume goes on with them/,
    );
    expect(stderr).toContain("interrupted");
    expect(existsSync(path("stopped.safetensors"))).toBe(false);
    // Of 4 layers with 3 candidates each.
    expect(finished(layers)).toBeGreaterThanOrEqual(2);
    expect(finished(layers)).toBeLessThan(12);

    expect(await lowbit(...auto("stopped.safetensors", three, "--resume"))).toMatchObject({ code: 0 });
    expect(existsSync(layers)).toBe(false);
    expect(await lowbit(...auto("straight.safetensors", three))).toMatchObject({ code: 0 });
    expect(readFileSync(path("stopped.safetensors")).equals(readFileSync(path("straight.safetensors")))).toBe(true);
  });

  it("--resume takes over what was measured, of the same rules alone", async () => {
    const args = (...rest: string[]) => limited(62_600, "figures.safetensors", "int8,int4", "--jobs", "1", ...rest);
    const layers = path("figures.safetensors.layers");
    await interrupted(args(), layers);
    const results = join(layers, "results.json");
    interface Content {
      readonly entries: readonly { readonly figures: { readonly scheme: string; readonly damage?: number } }[];
    }
    const content = JSON.parse(readFileSync(results, "utf8")) as Content;
    // As if the first layer, the only one there is room for, did not bear 8 bits.
    const entries = content.entries.map((entry) =>
      entry.figures.scheme === "int8" ? { ...entry, figures: { ...entry.figures, damage: 1e9 } } : entry,
    );
    const marked = JSON.stringify({ ...content, entries });
    const conv1 = async (...rest: string[]) => {
      const { stdout } = await lowbit(...args("--json", ...rest));
      const { layers } = JSON.parse(stdout) as { layers: { name: string; scheme: string }[] };
      return layers.find(({ name }) => name === "conv1")?.scheme;
    };
    writeFileSync(results, marked);
    expect(await conv1("--resume")).toBe("int4");
    mkdirSync(layers);
    writeFileSync(results, marked);
    expect(await conv1("--correct-bias", "--resume")).toBe("int8");
  });

  it("where no schemes keep the limit nothing is kept either", async () => {
    const { code } = await lowbit(...limited(9000, "refused.safetensors", three));
    expect(code).toBe(1);
    expect(existsSync(path("refused.safetensors"))).toBe(false);
    expect(existsSync(path("refused.safetensors.layers"))).toBe(false);
  });
});
