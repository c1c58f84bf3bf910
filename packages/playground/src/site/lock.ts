/** One process at a time: a file with its number beside what it writes, which counts only while that process lives. */
import { randomUUID } from "node:crypto";
import { link, readFile, rm, writeFile } from "node:fs/promises";

const isAlive = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // Someone else's is alive too.
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
};

/**
 * @returns what lets go of it
 * @throws Error where another process, or another call of this one, holds it
 */
export async function lock(file: string): Promise<() => Promise<void>> {
  const path = `${file}.lock`;
  // Named after its number is in it: an empty one would look like one that a killed process left.
  const own = `${path}.${randomUUID()}`;
  const take = () => link(own, path);
  try {
    await writeFile(own, String(process.pid));
    await take().catch(async (error: NodeJS.ErrnoException) => {
      if (error.code !== "EEXIST") throw error;
      const holder = await readFile(path, "utf8").catch(() => undefined);
      const pid = Number(holder);
      if (pid > 0 && isAlive(pid)) throw new Error(`${file}: process ${pid} is writing it`);
      // Left by one that was killed, or let go of meanwhile.
      if (holder !== undefined) await rm(path, { force: true });
      await take();
    });
  } finally {
    await rm(own, { force: true });
  }
  return () => rm(path, { force: true });
}
