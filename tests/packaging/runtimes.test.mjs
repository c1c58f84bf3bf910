import { existsSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, inject, test } from "vitest";
import { runtimes } from "../../scripts/setup/paths.mjs";
import { run } from "../../scripts/setup/run.mjs";

const { consumer } = inject("packaging");
const ours = (name, executable) => join(runtimes, name, "node_modules", ".bin", executable);

const major = Number(process.versions.node.split(".")[0]);
const all = ["scalar", "simd128", "relaxed"];

/** `tiers`: what this engine can run, best last; the best is what it must choose by itself. */
const engines = [
  // Node 20 has V8 11.3; relaxed SIMD came with the next.
  { name: `Node ${major}`, command: [process.execPath], tiers: major > 20 ? all : all.slice(0, 2) },
  { name: "Node 24", command: [ours("node24", "node")], tiers: all },
  { name: "Deno", command: [ours("deno", "deno"), "run", "--allow-read", "--allow-env"], tiers: all },
  { name: "Bun", command: [ours("bun", "bun"), "run"], tiers: all },
].map((engine) => {
  const isHere = existsSync(engine.command[0]);
  return { ...engine, isHere, title: isHere ? engine.name : `${engine.name} (not to be had here)` };
});

const runIn = ({ command: [file, ...flags] }, args) => run(file, [...flags, ...args], { cwd: consumer, timeout: 120 });
const reference = JSON.parse(await runIn(engines[0], ["command.js", "scalar"]));
const files = JSON.parse(await runIn(engines[0], ["quantized-command.js"]));

describe.each(engines)("$title", (engine) => {
  const here = engine.isHere ? test : test.skip;

  here("runs the README's example", async () => {
    expect(await runIn(engine, ["example.js"])).not.toBe("");
  });

  here("runs kernels without a graph, by lowbit/kernels", async () => {
    expect((await runIn(engine, ["kernels.js"])).trim()).toBe("-500");
  });

  here.each(engine.tiers)("tier %s gives the same bytes as the scalar tier in Node", async (tier) => {
    expect(JSON.parse(await runIn(engine, ["command.js", tier]))).toEqual({ ...reference, tier });
  });

  here.each(engine.tiers)("tier %s, two threads: the same bytes, and the process ends by itself", async (tier) => {
    const result = JSON.parse(await runIn(engine, ["threads-command.js", tier]));
    expect(result).toMatchObject({ tier, two: result.one, shared: 10 });
    expect(result.two).toMatchObject(reference.sha256);
  });

  here(
    "quantizes to the same files",
    async () => {
      expect(Object.keys(files)).not.toEqual([]);
      expect(JSON.parse(await runIn(engine, ["quantized-command.js"]))).toEqual(files);
    },
    120_000,
  );

  here("chooses its best tier by itself", async () => {
    expect(JSON.parse(await runIn(engine, ["command.js"])).tier).toBe(engine.tiers.at(-1));
  });
});
