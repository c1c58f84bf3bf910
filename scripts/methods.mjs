// Writes docs/methods.md: every method of packages/core/src/quantize/methods.ts with what it costs on a trained layer, measured now. Fails where a
// cell would be empty, or where two methods give the same codes and neither says why.
import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { whenMain } from "./main-module.mjs";
import { measureRow } from "./methods/measure.mjs";
import { loadMethods } from "./methods/sources.mjs";
import { pageOf, problemsOf } from "./methods/table.mjs";
import { LAYER, trainedLayer } from "./methods/trained-layer.mjs";
import { root } from "./setup/paths.mjs";

/** Fourth moment over the square of the second, of weights whose mean is near 0. */
function kurtosisOf(data) {
  let [second, fourth] = [0, 0];
  for (const w of data) {
    second += w * w;
    fourth += w * w * w * w;
  }
  return (fourth * data.length) / (second * second);
}

export async function writeMethods({ explain = false } = {}) {
  const sources = await loadMethods();
  const layer = await trainedLayer(sources);
  const instance = await sources.loadKernels();
  const rows = [];
  for (const method of sources.methods) {
    const since = performance.now();
    rows.push(await measureRow(sources, instance, layer, method));
    if (explain) console.log(`${(performance.now() - since).toFixed(0).padStart(6)} ms  ${method.method}`);
  }
  // Floats as they are belong to no method.
  const families = sources.registry.filter(({ owns }) => !owns("float"));
  const fileExists = (file) => existsSync(join(root, "packages", "core", "src", "quantize", file));
  const problems = problemsOf(rows, { families, fileExists });
  if (problems.length > 0) throw new Error(`docs/methods.md cannot be written:\n${problems.join("\n")}`);
  const [rowsOfLayer, columns] = layer.weights.shape;
  const { samples } = layer.calibration;
  const kurtosis = kurtosisOf(layer.weights.data).toFixed(1);
  const about = { name: LAYER, rows: rowsOfLayer, columns, samples, kurtosis };
  writeFileSync(join(root, "docs", "methods.md"), pageOf(rows, about));
}

await whenMain(import.meta.url, () => writeMethods({ explain: true }));
