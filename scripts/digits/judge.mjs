/**
 * A thread that packs networks and judges them on the digits. Takes `{ id, task }`, answers `{ id, result }` or
 * `{ id, error }`; a task names one of the functions below and its argument.
 */

import { parentPort, workerData } from "node:worker_threads";
import { packCut, packFloat, packTrained } from "./contestants.mjs";
import { classify, openEngine } from "./engines.mjs";

const PACKERS = { packCut, packFloat, packTrained };

async function judge({ pack, argument }) {
  const packed = await PACKERS[pack](argument);
  const engine = await openEngine(packed.name, packed.file);
  const classes = await classify(engine, workerData);
  engine.dispose();
  return { ...packed, classes };
}

parentPort.on("message", async ({ id, task }) => {
  try {
    parentPort.postMessage({ id, result: await judge(task) });
  } catch (error) {
    parentPort.postMessage({ id, error: error instanceof Error ? error.message : String(error) });
  }
});
