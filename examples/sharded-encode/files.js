// Files that are whole or not there.
import {
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";

const TEMPORARY = ".tmp";

/**
 * Writes under a name of this process's own and renames: a process that dies leaves a temporary file, and of two that write the same shard
 * (one that was taken for dead, and the one that took over) each puts whole bytes in place.
 */
export function writeWhole(path, bytes) {
  const temporary = `${path}.${process.pid}${TEMPORARY}`;
  const file = openSync(temporary, "w");
  try {
    for (let at = 0; at < bytes.length; ) at += writeSync(file, bytes, at);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
  renameSync(temporary, path);
}

/** @returns how many files of dead processes there were */
export function removeTemporary(folder) {
  const left = readdirSync(folder).filter((name) => name.endsWith(TEMPORARY));
  for (const name of left) rmSync(join(folder, name));
  return left.length;
}

export const shardPath = (folder, shard) => join(folder, `shard-${String(shard).padStart(6, "0")}.lowbit`);
export const codebookPath = (folder) => join(folder, "codebook.lowbit");

/** Makes the folder, or goes on in it, if it is of the same plan. */
export function openFolder(folder, plan) {
  mkdirSync(folder, { recursive: true });
  const path = join(folder, "plan.json");
  const text = JSON.stringify(plan);
  if (!existsSync(path)) writeWhole(path, new TextEncoder().encode(text));
  const found = readFileSync(path, "utf8");
  if (found !== text) throw new Error(`${folder} holds shards of another plan: ${found}`);
}
