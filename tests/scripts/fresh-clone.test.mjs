// On a fresh clone there are no packages: the two commands must get as far as installing them without any.
import { readFileSync } from "node:fs";
import { builtinModules } from "node:module";
import { dirname, join } from "node:path";
import { expect, test } from "vitest";
import { root } from "../../scripts/setup/paths.mjs";

/** Every specifier that `file` and the files it imports at once name and that is not one of Node's own modules. */
function packagesOf(file, seen = new Set()) {
  if (seen.has(file)) return [];
  seen.add(file);
  const imports = [...readFileSync(file, "utf8").matchAll(/^(?:import|export)\b[^;]*?from "([^"]+)";$/gm)];
  return imports.flatMap(([, specifier]) => {
    if (specifier.startsWith(".")) return packagesOf(join(dirname(file), specifier), seen);
    return specifier.startsWith("node:") || builtinModules.includes(specifier) ? [] : [`${file}: ${specifier}`];
  });
}

test.each(["start.mjs", "test.mjs"])("scripts/%s imports nothing that a fresh clone has not", (name) => {
  expect(packagesOf(join(root, "scripts", name))).toEqual([]);
});

test("the check sees packages: what builds the WASM imports some", () => {
  expect(packagesOf(join(root, "scripts", "build-wasm.mjs"))).not.toEqual([]);
});
