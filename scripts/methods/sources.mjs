// The sources that the table of methods is made from.
import { join } from "node:path";
import { root } from "../setup/paths.mjs";
import { loadSources } from "../sources.mjs";

const contents = `
export { methods } from "./src/quantize/methods.ts";
export { parseScheme, quantize, registry } from "./src/quantize.ts";
export { createModel, loadKernels, Tensor } from "./src/index.ts";
export { lowerGraph } from "./src/runtime/lower/index.ts";
export { importModel, readNpz, runPasses } from "../convert/src/index.ts";
`;

export const loadMethods = () => loadSources("methods", contents, join(root, "packages", "core"));
