import { readFileSync } from "node:fs";

/** Version of this package, from its manifest, which lies one folder up from `src/` as from `dist/`. */
export const VERSION: string = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8")).version;
