import { defineConfig } from "vitest/config";

/** What a user gets: the packed tarballs, installed in an empty folder, run by every runtime and bundler. */
export default defineConfig({
  test: {
    name: "packaging",
    include: ["tests/packaging/**/*.test.mjs"],
    globalSetup: ["tests/packaging/setup.mjs"],
    // Browsers and bundlers side by side would only wait for each other.
    fileParallelism: false,
    testTimeout: 180_000,
    hookTimeout: 180_000,
  },
});
