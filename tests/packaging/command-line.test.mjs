// The command line as installed from its tarball.
import { join } from "node:path";
import { expect, inject, test } from "vitest";
import { run } from "../../scripts/setup/run.mjs";

const { consumer } = inject("packaging");
const lowbit = (...args) =>
  run(process.execPath, [join(consumer, "node_modules", ".bin", "lowbit"), ...args], { cwd: consumer, timeout: 60 });

test("lowbit inspect reads the model and prints what the contract says", async () => {
  const found = JSON.parse(await lowbit("inspect", "model.safetensors", "--json"));
  expect(found).toMatchObject({ format: expect.any(String), bytes: expect.any(Number) });
  expect(found.tensors.length).toBeGreaterThan(0);
  for (const tensor of found.tensors)
    expect(Object.keys(tensor)).toEqual(expect.arrayContaining(["name", "dtype", "shape", "bits"]));
});

test("a file that is not there: exit code 2 and one line, no stack trace", async () => {
  const error = await lowbit("inspect", "missing.safetensors").catch((caught) => caught);
  expect(error.message).toContain("ended with 2");
  expect(error.output.trim().split("\n")).toHaveLength(1);
});
