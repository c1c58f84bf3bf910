/** Seeded mutations of files of every format: a short run of scripts/fuzz-readers.mjs, and the files that were kept from longer ones. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { attempt, inputOf } from "./fuzz/attempt.ts";
import { READERS } from "./fuzz/readers.ts";

describe.each(READERS.map((reader) => [reader.name, reader] as const))("%s", (_name, reader) => {
  test("1,000 mutated files: named errors only, no hang, no memory that the file has not", async () => {
    const files = reader.files();
    let read = 0;
    for (let i = 0; i < 1000; i++) {
      const result = await attempt(reader, inputOf(reader, files, 20261127 + i));
      expect(result.failure, `input ${i}`).toBeUndefined();
      read += Number(result.isRead);
    }
    // Both outcomes occur, so the mutations are neither all fatal nor all harmless.
    expect(read).toBeGreaterThan(10);
    expect(read).toBeLessThan(990);
  });
});

const corpus = new URL("./corpus/", import.meta.url);
const kept = existsSync(corpus) ? readdirSync(corpus).filter((name) => name.endsWith(".bin")) : [];

test.each(kept)("kept file %s", async (name) => {
  const reader = READERS.find((candidate) => candidate.name === name.replace(/-[0-9a-f]+\.bin$/, ""))!;
  const { failure } = await attempt(reader, new Uint8Array(readFileSync(new URL(name, corpus))));
  expect(failure).toBeUndefined();
});
