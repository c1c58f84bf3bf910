// TypeScript: format and lints, types, our own rules, tests in Node and in a browser, packages, sizes.

import { writeBenchTables } from "../bench-readme.mjs";
import { turboEnv } from "../build-packages.mjs";
import { checkLengths } from "../check-length.mjs";
import { checkMath } from "../check-math.mjs";
import { checkVersions } from "../check-versions.mjs";
import { generate } from "../generate.mjs";
import { pnpmEnv } from "../setup/node.mjs";
import { run } from "../setup/run.mjs";
import { checkSizes } from "../size.mjs";
import { single } from "./check.mjs";
import { vitest } from "./vitest.mjs";

/** @param {Map<string, string>} generated the generated files as they were before the build */
export const javascriptChecks = (generated) => [
  single("biome check", () => run("biome", ["check", "."], { env: pnpmEnv(), log: "biome", timeout: 120 })),
  single("types (tsc)", () =>
    run("turbo", ["run", "types", "--output-logs=errors-only"], { env: turboEnv(), log: "types" }),
  ),
  single("types of the configurations", () => run("tsc", ["-p", "tsconfig.json"], { env: pnpmEnv(), timeout: 120 })),
  single("generated files are up to date", () => generate({ check: true, before: generated })),
  single("file lengths", checkLengths),
  single("no engine-dependent Math on byte paths", checkMath),
  single("one version everywhere", checkVersions),
  single("benchmark tables are those of the record", () => writeBenchTables({ check: true })),
  vitest("vitest, Node", "vitest.config.ts", { timeout: 1800 }),
  vitest("vitest, Chromium", "vitest.browser.config.ts", { timeout: 900 }),
  vitest("packages as users install them", "vitest.packaging.config.ts", { timeout: 1800 }),
  single("size budgets", checkSizes),
];
