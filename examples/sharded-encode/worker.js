// One worker process, on this machine or another one that sees the same folder and the same Redis: takes shards until it is ended.
import { Index, loadIndex, saveIndex } from "@lowbit/search";
import { Worker } from "bullmq";
import { codebookPath, shardPath, writeWhole } from "./files.js";
import { vectors } from "./vectors.js";

const { folder, plan, queue, connection } = JSON.parse(process.argv[2]);
// Its codebooks, not its vectors: there are none in it.
const like = await loadIndex(codebookPath(folder));

const worker = new Worker(
  queue,
  async ({ data: { shard, from, to } }) => {
    process.send?.({ shard });
    // It gives way every 4,096 vectors, so that the lock of the job is renewed meanwhile.
    const index = await Index.build(vectors(from, to, plan), plan.spec, { metric: plan.metric, like });
    writeWhole(shardPath(folder, shard), saveIndex(index));
    index.dispose();
  },
  // A job whose lock was not renewed for 5 seconds is given to another worker, at most three times.
  { connection, concurrency: 1, lockDuration: 5000, stalledInterval: 2500, maxStalledCount: 3 },
);
worker.on("error", (error) => console.error(String(error)));
process.on("disconnect", () => process.exit());
process.on("SIGTERM", () => worker.close().then(() => process.exit()));
