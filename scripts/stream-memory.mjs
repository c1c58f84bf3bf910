// What memory `lowbit quantize` takes for a file of tensors, which it reads one at a time: makes a safetensors file, quantizes it, prints the peak.
//   node scripts/stream-memory.mjs [--megabytes 2048] [--tensor 64] [--weights int4:g32] [--folder KEPT] [--json]
// `--tensor` is the size of one tensor in MiB of f32. Needs a built command line (`pnpm build`).
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, statSync } from "node:fs";
import { open } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { parseArgs } from "node:util";

const MIB = 2 ** 20;
const { values } = parseArgs({
  options: {
    megabytes: { type: "string", default: "2048" },
    tensor: { type: "string", default: "64" },
    weights: { type: "string", default: "int4:g32" },
    folder: { type: "string" },
    json: { type: "boolean", default: false },
  },
});
const tensorBytes = Number(values.tensor) * MIB;
const count = Math.round(Number(values.megabytes) / Number(values.tensor));
const folder = values.folder ?? mkdtempSync(join(tmpdir(), "lowbit-memory-"));
const [source, output] = [join(folder, "source.safetensors"), join(folder, "quantized.safetensors")];

/** A safetensors file of `count` tensors [rows, 1024] of numbers between -1 and 1, a MiB of which repeats. */
async function makeSource() {
  const rows = tensorBytes / 4096;
  const entries = Array.from({ length: count }, (_, i) => [
    `layers.${i}.weight`,
    { dtype: "F32", shape: [rows, 1024], data_offsets: [i * tensorBytes, (i + 1) * tensorBytes] },
  ]);
  const header = Buffer.from(JSON.stringify(Object.fromEntries(entries)));
  const head = Buffer.alloc(8);
  head.writeBigUInt64LE(BigInt(header.length));
  const block = new Uint8Array(MIB);
  new Float32Array(block.buffer).forEach((_, i, floats) => {
    floats[i] = (Math.imul(i + 1, 0x9e3779b9) >>> 8) / 2 ** 23 - 1;
  });
  const file = await open(source, "w");
  await file.write(head);
  await file.write(header);
  for (let at = 0; at < count * tensorBytes; at += MIB) await file.write(block);
  await file.close();
}

await makeSource();
const main = pathToFileURL(join(import.meta.dirname, "../packages/cli/dist/index.js")).href;
const args = ["quantize", source, "-o", output, "--weights", values.weights, "--json"];
const child = `
  const { main } = await import(${JSON.stringify(main)});
  const code = await main(${JSON.stringify(args)});
  process.stderr.write("maxRSS " + process.resourceUsage().maxRSS + "\\n");
  process.exitCode = code;`;
const started = performance.now();
const run = spawnSync(process.execPath, ["--input-type=module", "-e", child], { encoding: "utf8", maxBuffer: 2 ** 28 });
const peak = Number(/maxRSS (\d+)/.exec(run.stderr)?.[1]) * 1024;
if (run.status !== 0 || !(peak > 0)) throw new Error(`lowbit quantize ended with ${run.status}: ${run.stderr}`);
const figures = {
  sourceBytes: statSync(source).size,
  outputBytes: statSync(output).size,
  tensorBytes,
  peakBytes: peak,
  seconds: (performance.now() - started) / 1000,
};
if (values.folder === undefined) rmSync(folder, { recursive: true });
if (values.json) console.log(JSON.stringify(figures));
else {
  const mb = (bytes) => `${(bytes / 1e6).toFixed(0)} MB`;
  console.log(
    `${mb(figures.sourceBytes)} in tensors of ${mb(tensorBytes)} -> ${mb(figures.outputBytes)} (${values.weights}): peak ${mb(peak)}, ${figures.seconds.toFixed(1)} s`,
  );
}
