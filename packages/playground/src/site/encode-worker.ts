/** A thread that encodes what it is sent. */
import { parentPort, workerData } from "node:worker_threads";
import { openEncoder } from "./encoder.ts";

const encoder = await openEncoder(workerData as string);

parentPort!.on("message", async (texts: string[]) => {
  const vectors = await encoder.encode(texts);
  const rows = new Float32Array(texts.length * encoder.size);
  for (const [i, vector] of vectors.entries()) rows.set(vector, i * encoder.size);
  parentPort!.postMessage(rows, [rows.buffer]);
});
