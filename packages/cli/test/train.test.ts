/** What `lowbit train` says and refuses before it trains: hours lie behind a wrong name. */

import { mkdirSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { newFolder } from "./files.ts";
import { lowbit, lowbitJson } from "./lowbit.ts";

const folder = newFolder();
mkdirSync(join(folder, "out"));
const out = (name: string) => join(folder, "out", name);

interface Recipes {
  readonly recipes: readonly { readonly name: string; readonly writes: string; readonly description: string }[];
}

/** Those without a strategy. */
const TO_ONNX = ["mnist-cnn-float", "mnist-cnn-binary", "mnist-cnn-ternary", "mnist-lenet-300-100", "mnist-lenet-5"];

/** Must fail with one line that holds `words`, and write nothing. */
async function refused(words: string | RegExp, ...args: string[]): Promise<void> {
  const { code, stderr } = await lowbit("train", ...args);
  expect(stderr).toMatch(/^lowbit: [^\n]+\n$/);
  expect(stderr).toMatch(words);
  expect(code).toBe(2);
  expect(readdirSync(join(folder, "out"))).toEqual([]);
}

describe("lowbit train --list", () => {
  it("names every recipe once, with what it writes and what it is, a line each", async () => {
    const { recipes } = await lowbitJson<Recipes>("train", "--list");
    const names = recipes.map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
    for (const beginning of ["mnist-mlp-", "mnist-lenet-5-", "fashion-mnist-", "cifar10-", "shakespeare-"])
      expect(names.some((name) => name.startsWith(beginning))).toBe(true);
    expect(recipes.filter(({ writes }) => writes === ".onnx").map(({ name }) => name)).toEqual(TO_ONNX);
    expect(recipes.filter(({ writes }) => writes !== ".safetensors")).toHaveLength(TO_ONNX.length);

    const { code, stdout, stderr } = await lowbit("train", "--list");
    expect([code, stderr]).toEqual([0, ""]);
    const lines = stdout.trimEnd().split("\n").slice(2);
    expect(lines).toHaveLength(recipes.length);
    for (const [i, { name, writes, description }] of recipes.entries()) {
      expect(lines[i]!.split(/ {2,}/).slice(0, 2)).toEqual([name, writes]);
      expect(lines[i]!.endsWith(description)).toBe(true);
    }
  });
});

describe("lowbit train", () => {
  it.each([
    ["mnist-mlp-ternary", "a.onnx", /a\.onnx: mnist-mlp-ternary writes a file that ends in \.safetensors/],
    ["mnist-cnn-binary", "a.safetensors", /a\.safetensors: mnist-cnn-binary writes a file that ends in \.onnx/],
    ["mnist-cnn-binary", "a", /ends in \.onnx/],
  ])("refuses %s into %s, before it looks at the data", (recipe, file, words) =>
    refused(words, recipe, "--data", join(folder, "nowhere"), "-o", out(file)),
  );

  it("says what is missing, and how to see the recipes", async () => {
    await refused(/RECIPE is missing.*--list/);
    await refused(/--data is missing/, "mnist-cnn-binary", "-o", out("a.onnx"));
    await refused(/--output is missing/, "mnist-cnn-binary", "--data", folder);
  });

  it.each([
    ["mnist-cnn-binary", "a.onnx"],
    ["mnist-mlp-ternary", "a.safetensors"],
  ])("%s reads the digits that it must not train on from --digits", (recipe, file) =>
    refused(
      /elsewhere\/\d\.json: cannot be read/,
      ...[recipe, "--data", folder, "--digits", join(folder, "elsewhere"), "-o", out(file)],
    ),
  );

  it("--help says what is written, and how to go on after Ctrl-C", async () => {
    const { stdout } = await lowbit("train", "--help");
    for (const words of ["--list", "--digits", "--before", ".json", "Ctrl-C leaves OUT.checkpoint"])
      expect(stdout).toContain(words);
  });
});
