// docs/scale.md as its reader has it: examples/sharded-encode on the packed npm packages and a real Redis, and the SQL on a real PostgreSQL.
import { cpSync, mkdirSync, readFileSync, symlinkSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { PGlite } from "@electric-sql/pglite";
import { vector } from "@electric-sql/pglite-pgvector";
import { beforeAll, expect, inject, test } from "vitest";
import { root } from "../../scripts/setup/paths.mjs";
import { run, which } from "../../scripts/setup/run.mjs";

const { consumer } = inject("packaging");
const folder = join(consumer, "sharded-encode");

beforeAll(() => {
  cpSync(join(root, "examples", "sharded-encode"), folder, {
    recursive: true,
    filter: (path) => !path.endsWith("node_modules"),
  });
  // The search package is found where the tarballs were installed, the queue where the workspace has it.
  mkdirSync(join(folder, "node_modules"), { recursive: true });
  for (const name of ["bullmq", "ioredis"])
    symlinkSync(join(root, "node_modules", name), join(folder, "node_modules", name));
});

const encode = (...options) => {
  const size = ["--vectors", "20000", "--dimension", "32", "--spec", "PQ8x8", "--shard", "1500"];
  return run(process.execPath, ["main.js", ...size, ...options], { cwd: folder, timeout: 240 });
};

test.skipIf(which(["redis-server"]) === undefined)(
  "a worker is killed in the middle of a shard: the queue loses nothing, the file is that of one process (redis-server)",
  async () => {
    const output = await encode("--kill", "1", "--verify");
    expect(output).toMatch(/killed worker \d+ in the middle of shard \d+/);
    expect(output).toMatch(/shard-\d+ stalled and is taken again/);
    expect(output).toContain("20000 vectors encoded by 2 workers");
    expect(output).toContain("1 killed, 1 stalled");
    expect(output).toContain("100 of 100 vectors are the nearest to themselves");
    expect(output).toContain("the same bytes");

    // What is there stays: another run encodes nothing, and one of other settings is refused.
    expect(await encode()).toContain("every shard is there");
    await expect(encode("--seed", "2")).rejects.toMatchObject({
      output: expect.stringContaining("holds shards of another plan"),
    });
  },
  300_000,
);

test("the SQL finds what our index finds, with the same Hamming distances", async () => {
  const doc = readFileSync(join(root, "docs", "scale.md"), "utf8");
  const blocks = (language) =>
    [...doc.matchAll(new RegExp(`\`\`\`${language}\n(.*?)\`\`\``, "gs"))].map(([, text]) => text);
  const code = blocks("js").find((text) => text.includes("export const bits"));
  const { bits, halves, sparse } = await import(`data:text/javascript,${encodeURIComponent(code)}`);
  const [table, insert, query] = blocks("sql");
  const { Index } = await import(
    pathToFileURL(createRequire(join(consumer, "package.json")).resolve("@lowbit/search"))
  );
  const { vectors } = await import(pathToFileURL(join(folder, "vectors.js")));
  const [dimension, count] = [384, 500];
  const plan = { dimension, seed: 3 };
  const base = vectors(0, count, plan);
  const row = (i) => base.data.subarray(i * dimension, (i + 1) * dimension);
  const signs = await Index.build(base, "Binary", { metric: "hamming" });
  const index = await Index.build(base, "Binary,RFlat", { metric: "cosine" });

  const db = new PGlite({ extensions: { vector } });
  await db.exec(table);
  for (let i = 0; i < count; i++) {
    expect(bits(signs.reconstruct(i))).toBe(bits(row(i)));
    await db.query(insert, [i, bits(row(i)), halves(row(i))]);
  }
  await db.exec("SET hnsw.ef_search = 200");
  for (let q = 0; q < 5; q++) {
    const asked = vectors(count + q, count + q + 1, plan).data;
    const { rows } = await db.query(query, [bits(asked), halves(asked)]);
    const hits = index.search(asked, 10, { rescored: 200 });
    expect(rows.map(({ id }) => Number(id))).toEqual(hits.map(({ id }) => id));
    for (const [i, { score }] of hits.entries()) expect(rows[i].score).toBeCloseTo(score, 3);

    const distances = await db.query("SELECT id, signs <~> $1::bit(384) AS d FROM items", [bits(asked)]);
    const byId = new Map(distances.rows.map(({ id, d }) => [Number(id), d]));
    for (const { id, score } of signs.search(asked, count)) expect(byId.get(id)).toBe(score);
  }
  const few = Float32Array.of(0, 1.5, 0, -2);
  const { rows } = await db.query("SELECT $1::sparsevec(4)::vector(4)::text AS x", [sparse(few)]);
  expect(rows).toEqual([{ x: "[0,1.5,0,-2]" }]);
  await db.close();
  signs.dispose();
  index.dispose();
}, 240_000);
