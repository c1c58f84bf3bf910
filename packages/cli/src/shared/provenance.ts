/** Where a packed file comes from, written into it; nothing here depends on the day or the machine, so same input, same bytes. */

import { createHash } from "node:crypto";
import { basename } from "node:path";
import type { Provenance } from "lowbit";
import { VERSION } from "../version.ts";
import type { OpenedGraph } from "./model.ts";

/** @param recipe what was done, as a command line without paths */
export const provenanceOf = (source: OpenedGraph, recipe: string): Provenance => ({
  source: basename(source.path),
  sourceSha256: createHash("sha256").update(source.bytes).digest("hex"),
  recipe,
  library: `lowbit ${VERSION}`,
});
