// The data set minilm: embeddings of sentences, for the scripts that measure vector search.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { root } from "../setup/paths.mjs";

/** Where data sets are. */
export const data = process.env.LOWBIT_DATA ?? join(root, "..", "shared", "data");

/** A package of the workspace. */
export const load = (name) =>
  import(pathToFileURL(createRequire(join(root, "packages", "cli", "package.json")).resolve(name)).href);

/** The rows of an .npy of f16 as floats. */
export async function readRows(path) {
  const { fromHalf } = await load("lowbit");
  const bytes = readFileSync(path);
  const start = 10 + bytes.readUInt16LE(8);
  const [, n, d] = /<f2.*False.*\((\d+), (\d+)\)/.exec(bytes.toString("latin1", 10, start)) ?? [];
  if (d === undefined) throw new Error(`${path}: expected f16 [n, d]`);
  const halves = new Uint16Array(bytes.buffer.slice(bytes.byteOffset + start, bytes.byteOffset + bytes.length));
  return { n: Number(n), d: Number(d), data: Float32Array.from(halves, fromHalf) };
}

/** Makes every row [d] of length 1, in place. */
export function normalize(rows, d) {
  for (let from = 0; from < rows.length; from += d) {
    const row = rows.subarray(from, from + d);
    const length = Math.sqrt(row.reduce((sum, x) => sum + x * x, 0));
    for (let j = 0; j < d; j++) row[j] /= length;
  }
}

export const bytesOf = ({ buffer, byteOffset, byteLength }) => new Uint8Array(buffer, byteOffset, byteLength);
