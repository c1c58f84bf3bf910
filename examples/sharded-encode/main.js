// Encodes many vectors on several processes by a queue in Redis, and merges the shards into one index file. Ended in the middle, it goes on where it was.
//
//   node main.js --out codes --vectors 1000000 --dimension 96 --workers 2 [--redis redis://host:6379] [--kill 1] [--verify]
import { fork } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { existsSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { Index, loadIndex, saveIndex } from "@lowbit/search";
import { Queue, QueueEvents } from "bullmq";
import { codebookPath, openFolder, removeTemporary, shardPath, writeWhole } from "./files.js";
import { startRedis } from "./redis.js";
import { vectors } from "./vectors.js";

/** Vectors that codebooks are learned from. */
const SAMPLE = 65_536;

const { values } = parseArgs({
  options: {
    out: { type: "string", default: "codes" },
    vectors: { type: "string", default: "1000000" },
    dimension: { type: "string", default: "96" },
    spec: { type: "string", default: "PQ48x8" },
    seed: { type: "string", default: "1" },
    shard: { type: "string", default: "20000" },
    workers: { type: "string", default: "2" },
    redis: { type: "string" },
    /** Workers that are killed (-9) in the middle of a shard, to see that nothing is lost. */
    kill: { type: "string", default: "0" },
    /** Encodes everything once more in this process and compares. */
    verify: { type: "boolean", default: false },
  },
});
const folder = resolve(values.out);
const [count, workers, kills] = [values.vectors, values.workers, values.kill].map(Number);
const plan = {
  vectors: count,
  dimension: Number(values.dimension),
  spec: values.spec,
  metric: "l2",
  seed: Number(values.seed),
  shard: Number(values.shard),
};
const shards = Array.from({ length: Math.ceil(count / plan.shard) }, (_, shard) => ({
  shard,
  from: shard * plan.shard,
  to: Math.min(count, (shard + 1) * plan.shard),
}));
const sha256 = (bytes) => createHash("sha256").update(bytes).digest("hex");
const seconds = (since) => ((performance.now() - since) / 1000).toFixed(1);

/** Codebooks in the file of an index without vectors. */
async function learn() {
  const start = performance.now();
  const sample = Math.min(count, SAMPLE);
  const index = await Index.build(vectors(0, sample, plan), plan.spec, { metric: plan.metric });
  index.remove(Array(sample).keys());
  index.compact();
  writeWhole(codebookPath(folder), saveIndex(index));
  index.dispose();
  console.log(`${plan.spec} learned from ${sample} vectors in ${seconds(start)} s`);
}

/** Every shard that is not there yet goes through the queue. */
async function encode(connection) {
  const missing = shards.filter(({ shard }) => !existsSync(shardPath(folder, shard)));
  if (missing.length === 0) return { encoded: 0, killed: 0, stalled: 0 };
  const name = `encode-${sha256(folder + JSON.stringify(plan)).slice(0, 12)}`;
  const queue = new Queue(name, { connection });
  const events = new QueueEvents(name, { connection });
  await events.waitUntilReady();
  const settings = JSON.stringify({ folder, plan, queue: name, connection });
  const running = new Set();
  let [left, killed, stalled, open] = [missing.length, 0, 0, true];
  try {
    await new Promise((resolve, reject) => {
      const start = () => {
        const worker = fork(join(import.meta.dirname, "worker.js"), [settings]);
        running.add(worker);
        worker.on("message", ({ shard }) => {
          if (killed >= kills || left > missing.length / 2) return;
          killed++;
          worker.kill("SIGKILL");
          console.log(`killed worker ${worker.pid} in the middle of shard ${shard}`);
        });
        worker.on("exit", (code, signal) => {
          running.delete(worker);
          if (!open) return;
          // As a supervisor does: one that was killed is replaced, one that failed by itself would fail again.
          if (signal) start();
          else reject(new Error(`worker ${worker.pid} ended with ${code}`));
        });
      };
      events.on("stalled", ({ jobId }) => {
        stalled++;
        console.log(`${jobId} stalled and is taken again`);
      });
      events.on("failed", ({ jobId, failedReason }) => reject(new Error(`${jobId}: ${failedReason}`)));
      events.on("completed", () => {
        if (--left === 0) resolve();
      });
      // The name of a job is its identity: a second run adds none that is waiting still.
      const options = { removeOnComplete: true, removeOnFail: true };
      queue
        .addBulk(missing.map((data) => ({ name: "encode", data, opts: { ...options, jobId: `shard-${data.shard}` } })))
        .then(() => Array.from({ length: workers }, start))
        .catch(reject);
    });
  } finally {
    open = false;
    const ended = [...running].map((worker) => once(worker, "exit"));
    for (const worker of running) worker.kill();
    await Promise.all([...ended, queue.close(), events.close()]);
  }
  return { encoded: missing.reduce((sum, { from, to }) => sum + to - from, 0), killed, stalled };
}

/** One index of all shards, in their order. */
async function merge() {
  const index = await loadIndex(shardPath(folder, 0));
  for (const { shard } of shards.slice(1)) {
    const other = await loadIndex(shardPath(folder, shard));
    index.merge(other);
    other.dispose();
  }
  const bytes = saveIndex(index);
  index.dispose();
  writeWhole(join(folder, "index.lowbit"), bytes);
  return bytes;
}

/** The same file from one process. */
async function encodeAlone() {
  const like = await loadIndex(codebookPath(folder));
  const [first, ...others] = shards;
  const index = await Index.build(vectors(first.from, first.to, plan), plan.spec, { metric: plan.metric, like });
  for (const { from, to } of others) await index.add(vectors(from, to, plan));
  const bytes = saveIndex(index);
  index.dispose();
  like.dispose();
  return bytes;
}

openFolder(folder, plan);
if (!existsSync(codebookPath(folder))) await learn();
const redis = values.redis ? { connection: { url: values.redis }, stop() {} } : await startRedis();
try {
  const start = performance.now();
  const { encoded, killed, stalled } = await encode(redis.connection);
  const took = seconds(start);
  const rate = Math.round(encoded / took);
  console.log(
    encoded === 0
      ? "every shard is there"
      : `${encoded} vectors encoded by ${workers} workers in ${took} s, ${rate} a second; ${killed} killed, ${stalled} stalled`,
  );
} finally {
  redis.stop();
}
const temporary = removeTemporary(folder);
if (temporary > 0) console.log(`${temporary} temporary files of dead workers removed`);
const mergeStart = performance.now();
const bytes = await merge();
console.log(
  `index.lowbit: ${count} vectors, ${bytes.length} bytes, merged in ${seconds(mergeStart)} s, sha256 ${sha256(bytes)}`,
);

const index = await loadIndex(join(folder, "index.lowbit"));
const asked = Array.from({ length: Math.min(100, count) }, (_, i) => Math.floor((i * count) / 100));
const found = asked.filter((i) => index.search(vectors(i, i + 1, plan).data, 1)[0].id === i).length;
console.log(`${found} of ${asked.length} vectors are the nearest to themselves`);
index.dispose();

if (values.verify) {
  const alone = performance.now();
  const same = Buffer.compare(await encodeAlone(), readFileSync(join(folder, "index.lowbit"))) === 0;
  console.log(`one process: ${seconds(alone)} s, ${same ? "the same bytes" : "OTHER BYTES"}`);
  if (!same) process.exitCode = 1;
}
