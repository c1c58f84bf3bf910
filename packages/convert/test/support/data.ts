/** Outside data for tests: `../shared/data` beside the checkout, or where LOWBIT_DATA points. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const checkout = fileURLToPath(new URL("../../../../", import.meta.url));
const folder = process.env.LOWBIT_DATA ?? join(checkout, "../shared/data");

export const hasData = (path: string): boolean => existsSync(join(folder, path));

/** The path of a file of the data. */
export const dataPath = (path: string): string => join(folder, path);

export const readData = (path: string): Uint8Array<ArrayBuffer> => new Uint8Array(readFileSync(join(folder, path)));

/** A file of this repository, by its path from the root. */
export const readFile = (path: string): Uint8Array<ArrayBuffer> => new Uint8Array(readFileSync(join(checkout, path)));
