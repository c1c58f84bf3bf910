import { readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { playwright } from "@vitest/browser-playwright";
import { defaultClientConditions } from "vite";
import { defineConfig } from "vitest/config";
import { chromiumFlags, chromiumPath } from "./scripts/setup/chromium.mjs";

/**
 * The core's tests once more, in a real Chromium, in a page that is not cross-origin isolated; those of threads in one that is. Left out are the
 * tests that reach for Node's own modules, themselves or by a helper.
 */
function needsNode(file: string, seen = new Set<string>()): boolean {
  if (seen.has(file)) return false;
  seen.add(file);
  const text = readFileSync(file, "utf8");
  if (/^import [^;]*from "node:/m.test(text)) return true;
  const helpers = [...text.matchAll(/from "(\.{1,2}\/[^"]+\.ts)"/g)].map(([, path]) => join(dirname(file), path ?? ""));
  return helpers.some((helper) => !helper.includes("/src/") && needsNode(helper, seen));
}

const root = import.meta.dirname;
const tests = readdirSync(join(root, "packages/core"), { recursive: true, encoding: "utf8" })
  .filter((file) => /^(src|test)\/.*\.test\.ts$/.test(file))
  .map((file) => join("packages/core", file));

/** What needs shared memory runs in a page that has it. */
const isolated = ["packages/core/test/threads.test.ts", "tests/browser/isolated.test.ts"];

const project = (name: string, include: readonly string[], headers: Record<string, string>) => ({
  resolve: { conditions: ["@lowbit/source", ...defaultClientConditions] },
  // All our dependencies are ES modules: served as they are, so that none is found late and reloads the page under a test.
  optimizeDeps: { noDiscovery: true },
  cacheDir: `.cache/vite-${name}`,
  server: { headers },
  test: {
    name,
    include: [...include],
    testTimeout: 60_000,
    hookTimeout: 60_000,
    browser: {
      enabled: true,
      headless: true,
      screenshotFailures: false,
      provider: playwright({ launchOptions: { executablePath: chromiumPath() ?? "chromium", args: chromiumFlags } }),
      instances: [{ browser: "chromium" as const }],
    },
  },
});

const anywhere = tests.filter((file) => !isolated.includes(file) && !needsNode(join(root, file)));

export default defineConfig({
  test: {
    projects: [
      project(
        "chromium",
        [
          "tests/browser/page.test.ts",
          "tests/browser/train.test.ts",
          "packages/search/test/*.browser.test.ts",
          ...anywhere,
        ],
        {},
      ),
      project("chromium-isolated", isolated, {
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cross-Origin-Embedder-Policy": "require-corp",
      }),
    ],
  },
});
