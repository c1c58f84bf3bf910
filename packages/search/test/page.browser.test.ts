/** What only a browser has: a module worker that holds an index, and storage of its own. */
import { DigestError, InputError } from "lowbit";
import { afterEach, describe, expect, it } from "vitest";
import { Index, loadIndex, loadStored, removeStored, saveIndex, storedNames, storeIndex } from "../src/index.ts";
import { IndexWorker } from "../src/worker.ts";
import { clustered, rowOf } from "./vectors.ts";

const d = 32;
const base = clustered(600, d, 1);
const query = rowOf(clustered(1, d, 2), 0);

const newWorker = () => new Worker(new URL("./index-worker.ts", import.meta.url), { type: "module" });

afterEach(async () => {
  for (const name of await storedNames()) await removeStored(name);
});

describe("in a page", () => {
  it.each(["PQ16x4fs,RSQ8", "HNSW8,RaBitQ4", "Binary,RSQ8"])(
    "a worker's %s is the page's, byte for byte",
    async (spec) => {
      const worker = newWorker();
      try {
        const payloads = Array.from({ length: 600 }, (_, line) => ({ line }));
        using here = await Index.build(base, spec, { payloads });
        await using there = await IndexWorker.build(worker, base, spec, { payloads });
        expect(await there.search(query, 9)).toEqual(here.search(query, 9));
        expect(await there.payload(7)).toEqual({ line: 7 });
        expect(await there.save()).toEqual(saveIndex(here));
      } finally {
        worker.terminate();
      }
    },
  );

  it("an index is kept under a name, replaced, listed and removed", async () => {
    using index = await Index.build(base, "SQ8");
    expect(await loadStored("words")).toBeUndefined();
    await storeIndex("words", index);
    using again = (await loadStored("words"))!;
    expect(saveIndex(again)).toEqual(saveIndex(index));
    index.remove([1, 2, 3]);
    await storeIndex("words", saveIndex(index));
    using less = (await loadStored("words"))!;
    expect(less.size).toBe(597);
    await storeIndex("other", index);
    expect(await storedNames()).toEqual(["other", "words"]);
    expect(await removeStored("words")).toBe(true);
    expect(await removeStored("words")).toBe(false);
    expect(await storedNames()).toEqual(["other"]);
  });

  it("two tabs that store at once leave one of both, whole", async () => {
    using few = await Index.build({ shape: [10, d], data: base.data.slice(0, 10 * d) }, "Flat");
    using many = await Index.build(base, "Flat");
    await storeIndex("shared", few);
    for (let round = 0; round < 5; round++) {
      const writes = [storeIndex("shared", many), storeIndex("shared", few), storeIndex("shared", many)];
      // Read while it is written: the old one or a new one.
      using meanwhile = (await loadStored("shared"))!;
      expect([10, 600]).toContain(meanwhile.size);
      await Promise.all(writes);
      using last = (await loadStored("shared"))!;
      expect([10, 600]).toContain(last.size);
    }
  });

  it("names that are none and files that were damaged are refused by name", async () => {
    using index = await Index.build(base, "SQ8");
    for (const name of ["a/b", "..", ""]) await expect(storeIndex(name, index)).rejects.toThrow(InputError);
    const bytes = saveIndex(index).slice();
    bytes[bytes.length - 1]! ^= 1;
    await storeIndex("damaged", bytes);
    await expect(loadStored("damaged")).rejects.toThrow(DigestError);
  });

  it("a download tells how far it is, and its digest is looked at", async () => {
    using index = await Index.build(base, "SQ8");
    const file = saveIndex(index);
    const url = URL.createObjectURL(new Blob([file]));
    const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", file));
    const integrity = `sha256-${btoa(String.fromCharCode(...digest))}`;
    const told: number[] = [];
    using loaded = await loadIndex(url, { integrity, onProgress: (bytes) => void told.push(bytes) });
    expect(loaded.size).toBe(600);
    expect(told.at(-1)).toBe(file.length);
    await expect(loadIndex(url, { integrity: integrity.replace(/.{4}=$/, "AAA=") })).rejects.toThrow(
      /integrity|digest/,
    );
    URL.revokeObjectURL(url);
  });
});
