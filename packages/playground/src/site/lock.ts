/** One process at a time: a file with its number beside what it writes, which counts only while that process lives. */
import { readFile, rm, writeFile } from "node:fs/promises";

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
  const take = () => writeFile(path, String(process.pid), { flag: "wx" });
  try {
    await take();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
    const pid = Number(await readFile(path, "utf8").catch(() => ""));
    if (pid > 0 && isAlive(pid)) throw new Error(`${file}: process ${pid} is writing it`);
    // Left by one that was killed.
    await rm(path, { force: true });
    await take();
  }
  return () => rm(path, { force: true });
}
