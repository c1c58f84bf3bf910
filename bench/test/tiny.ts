/** The same task at a shape that every engine does in a blink, for tests of answers. */
import type { Case } from "../src/case.ts";
import { naiveChecksum } from "../src/checksums.ts";
import { samePads, type Task } from "../src/task.ts";

function shrunk(task: Task): Task {
  if (task.op === "gemm") {
    const { cold: _, ...hot } = task;
    return { ...hot, m: Math.min(task.m, 3), n: Math.min(task.n, 48), k: Math.min(task.k, 160) };
  }
  if (task.op === "conv") {
    const channels = Math.min(task.channels, 32);
    const [height, width] = [7, 6];
    return {
      ...{ ...task, height, width, channels, pads: samePads([height, width], task.kernel, task.stride) },
      ...(task.groups > 1 ? { groups: channels, outputs: channels } : { outputs: Math.min(task.outputs, 48) }),
    };
  }
  if (task.op === "scan") return { ...task, queries: Math.min(task.queries, 3), rows: 1000 };
  if (task.op === "assign") return { ...task, vectors: 333 };
  return task;
}

/** Of each family and task one, as small as it gets; whole networks stay as they are. */
export function tiny(of: Case): Case {
  const { coldBytes: _, ...hot } = of;
  const task = shrunk(of.task);
  if (task === of.task) return of;
  const small: Case = { ...hot, id: `${of.family}/tiny`, task, quick: true, work: { ...of.work, amount: 1 } };
  return { ...small, checksum: naiveChecksum(small) };
}
