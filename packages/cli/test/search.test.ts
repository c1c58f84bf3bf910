/** `lowbit search`: an index built, asked and measured, from files alone. */
import { spawn } from "node:child_process";
import { existsSync, readFileSync, watch, writeFileSync } from "node:fs";
import { join } from "node:path";
import { readNpy, writeNpy } from "@lowbit/convert";
import { Tensor } from "lowbit";
import { Random } from "lowbit/quantize";
import { describe, expect, it } from "vitest";
import { newFolder } from "./files.ts";
import { BIN, lowbit, lowbitJson } from "./lowbit.ts";

const path = (name: string) => join(newFolder(), name);
const [n, d, k] = [400, 32, 5];

/** Vectors of seeded numbers as an .npy. */
function vectorsFile(rows: number, seed: number): string {
  const random = new Random(seed);
  const file = path(`${seed}.npy`);
  writeFileSync(
    file,
    writeNpy(
      new Tensor(
        "f32",
        [rows, d],
        Float32Array.from({ length: rows * d }, () => random.uniform() - 0.5),
      ),
    ),
  );
  return file;
}

const base = vectorsFile(n, 1);
const queries = vectorsFile(7, 2);

describe("search", () => {
  it("build, query and eval agree, and ids are int64, best first", async () => {
    const index = path("x.lowbit");
    const built = await lowbitJson("search", "build", base, "-o", index, "--index", "SQ8", "--metric", "l2");
    expect(built).toMatchObject({
      count: n,
      dimension: d,
      spec: "SQ8",
      metric: "l2",
      bytes: readFileSync(index).length,
    });
    const [ids, scores] = [path("ids.npy"), path("scores.npy")];
    const asked = ["search", "query", index, "--queries", queries, "-k", String(k), "-o", ids, "--scores", scores];
    expect(await lowbitJson(...asked)).toMatchObject({ queries: 7, k });
    const [found, how] = [readNpy(readFileSync(ids), ids), readNpy(readFileSync(scores), scores)];
    expect([found.dtype, found.shape, how.dtype, how.shape]).toEqual(["int64", [7, k], "f32", [7, k]]);
    const [x, q] = [base, queries].map((file) => readNpy(readFileSync(file), file).data as Float32Array) as [
      Float32Array,
      Float32Array,
    ];
    for (let row = 0; row < 7; row++)
      for (let j = 0; j < k; j++) {
        const at = Number(found.data[row * k + j]) * d;
        let distance = 0;
        for (let i = 0; i < d; i++) distance += (q[row * d + i]! - x[at + i]!) ** 2;
        expect(Number(how.data[row * k + j])).toBeCloseTo(distance, 1);
        if (j > 0) expect(how.data[row * k + j]).toBeGreaterThanOrEqual(how.data[row * k + j - 1]!);
      }
    const { recall } = await lowbitJson<{ recall: number }>(
      "search",
      "eval",
      index,
      "--queries",
      queries,
      "--base",
      base,
    );
    expect(recall).toBeGreaterThan(0.9);
  });

  it("graphs take their breadths", async () => {
    const [narrow, wide] = [path("narrow.lowbit"), path("wide.lowbit")];
    await lowbitJson("search", "build", base, "-o", narrow, "--index", "HNSW4", "--ef-construction", "4");
    await lowbitJson("search", "build", base, "-o", wide, "--index", "HNSW4", "--ef-construction", "200");
    expect(readFileSync(narrow).equals(readFileSync(wide))).toBe(false);
    const recall = async (ef: string) => {
      const asked = ["search", "eval", wide, "--queries", queries, "--base", base, "--ef-search", ef];
      return (await lowbitJson<{ recall: number }>(...asked)).recall;
    };
    expect(await recall("400")).toBe(1);
    expect(await recall("1")).toBeLessThan(1);
  });

  it("goes to a file of Faiss and back", async () => {
    const [index, faiss, back] = [path("x.lowbit"), path("x.faiss"), path("back.lowbit")];
    await lowbitJson("search", "build", base, "-o", index, "--index", "PQ4x8", "--metric", "l2");
    const written = await lowbitJson<{ bytes: number }>("search", "export", index, "--faiss", faiss);
    expect(readFileSync(faiss).subarray(0, 4).toString()).toBe("IxPq");
    expect(readFileSync(faiss).length).toBe(written.bytes);
    const read = await lowbitJson("search", "import", "--faiss", faiss, "-o", back);
    expect(read).toMatchObject({ count: n, dimension: d, spec: "PQ4x8", metric: "l2" });
    expect(readFileSync(back).equals(readFileSync(index))).toBe(true);
    const { code, stderr } = await lowbit("search", "import", "--faiss", index, "-o", back);
    expect(stderr).toMatch(/^lowbit: .*class of the index.*\n$/);
    expect(code).toBe(2);
  });

  it("pads with -1 where there are fewer vectors than k", async () => {
    const [few, index, ids] = [vectorsFile(3, 3), path("few.lowbit"), path("few.npy")];
    expect((await lowbit("search", "build", few, "-o", index, "--index", "Flat")).code).toBe(0);
    expect((await lowbit("search", "query", index, "--queries", queries, "-k", "4", "-o", ids)).code).toBe(0);
    expect(readNpy(readFileSync(ids), ids).data[3]).toBe(-1n);
  });

  it.each([
    ["no action", ["search", "find", base], /expected build, query, eval/],
    ["no spec", ["search", "build", base, "-o", path("a")], /--index SPEC is missing/],
    ["an unknown spec", ["search", "build", base, "-o", path("b"), "--index", "PQ7"], /index spec.*got PQ7/],
    ["fewer vectors than centroids", ["search", "build", queries, "-o", path("c"), "--index", "PQ4x8"], /at least 256/],
    [
      "an unknown metric",
      ["search", "build", base, "-o", path("d"), "--index", "Flat", "--metric", "near"],
      /--metric/,
    ],
    ["no index", ["search", "query", base, "--queries", queries, "-o", path("e")], /1\.npy/],
  ])("%s: one line, exit code 2, no file", async (_, args, message) => {
    const { code, stderr } = await lowbit(...args);
    expect(stderr).toMatch(/^lowbit: [^\n]+\n$/);
    expect(stderr).toMatch(message);
    expect(code).toBe(2);
    const output = args[args.indexOf("-o") + 1]!;
    if (args.includes("-o")) expect(existsSync(output)).toBe(false);
  });

  it("a build that is killed while it writes leaves the old file whole, or the new one", async () => {
    const folder = newFolder();
    const [index, fresh] = [join(folder, "x.lowbit"), path("fresh.lowbit")];
    const many = vectorsFile(40_000, 3);
    const build = (from: string, to: string) => ["search", "build", from, "-o", to, "--index", "Flat"];
    expect((await lowbit(...build(base, index))).code).toBe(0);
    expect((await lowbit(...build(many, fresh))).code).toBe(0);
    const old = readFileSync(index);
    const child = spawn(process.execPath, [BIN, ...build(many, index)], { stdio: "ignore" });
    const watcher = watch(folder, (_, name) => {
      if (name?.endsWith(".tmp")) child.kill("SIGKILL");
    });
    const signal = await new Promise((resolve) => child.on("close", (_, signal) => resolve(signal)));
    watcher.close();
    expect(signal).toBe("SIGKILL");
    const now = readFileSync(index);
    expect(now.equals(old) || now.equals(readFileSync(fresh))).toBe(true);
    expect((await lowbit(...build(many, index))).code).toBe(0);
    expect(readFileSync(index).equals(readFileSync(fresh))).toBe(true);
  });
});
