import { defaultClientConditions, defaultServerConditions } from "vite";
import { defineConfig } from "vitest/config";

/** Workspace packages resolve to their TypeScript source, so a test never runs against a stale build. */
const source = "@lowbit/source";

/** One vitest project per package, in Node. The tests that also run in a browser: see vitest.browser.config.ts. */
const nodeProject = (name: string, below = "./packages") => ({
  resolve: { conditions: [source, ...defaultClientConditions] },
  ssr: { resolve: { conditions: [source, ...defaultServerConditions] } },
  test: {
    name,
    root: `${below}/${name}`,
    environment: "node",
    include: ["src/**/*.test.ts", "test/**/*.test.ts"],
    exclude: ["**/*.browser.test.ts", "**/node_modules/**", "**/dist/**"],
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
});

export default defineConfig({
  test: {
    projects: [
      ...["core", "convert", "train", "search", "cli", "playground"].map((name) => nodeProject(name)),
      nodeProject("bench", "."),
      { test: { name: "scripts", root: "./tests/scripts", include: ["**/*.test.mjs"] } },
    ],
  },
});
