// Runs in the browser: what an index of @lowbit/search costs in a page, on one thread. scripts/search-page.mjs bundles it and opens it; the answer is the page's title.

import { Index, recall } from "@lowbit/search";
import { fromHalf } from "lowbit";
import { Random } from "lowbit/quantize";
import { mixer } from "./mixer.mjs";

const D = 384;
const K = 10;

/** f16 [n, 384] of an .npy as floats. */
async function readRows() {
  const bytes = await (await fetch("./base_f16.npy")).arrayBuffer();
  const start = 10 + new DataView(bytes).getUint16(8, true);
  return Float32Array.from(new Uint16Array(bytes.slice(start)), fromHalf);
}

const rowOf = ({ data }, i) => data.subarray(i * D, (i + 1) * D);

/** Milliseconds of a query, the median of single ones in turn. */
function timeOf(index, queries, options) {
  const count = queries.shape[0];
  const times = [];
  for (let i = 0; i < 3 * count; i++) {
    const query = rowOf(queries, i % count);
    const start = performance.now();
    for (let again = 0; again < 8; again++) index.search(query, K, options);
    times.push((performance.now() - start) / 8);
  }
  return times.sort((a, b) => a - b)[times.length >> 1];
}

async function main() {
  const asked = new URL(location.href).searchParams;
  const [spec, n, million] = [asked.get("spec"), Number(asked.get("n")), asked.get("million")];
  const rows = await readRows();
  const cut = rows.length - 200 * D;
  const queries = { shape: [200, D], data: rows.slice(cut) };
  const real = rows.slice(0, cut);
  const made = mixer(new Random(1), real, D)(n - real.length / D);
  const base = { shape: [n, D], data: new Float32Array(n * D) };
  base.data.set(real);
  base.data.set(made.data, real.length);
  const flat = await Index.build(base, "Flat");
  const truth = { shape: [200, K], data: flat.searchAll(queries, K).numbers };
  flat.dispose();
  const stages = new Set();
  const start = performance.now();
  const index = await Index.build(base, spec, { onProgress: (stage) => stages.add(stage) });
  const built = (performance.now() - start) / 1000;
  const found = { recall: recall(index, queries, truth), ms: timeOf(index, queries, {}) };
  const small = {
    spec,
    n,
    built,
    ...found,
    bytes: index.bytes,
    bytesPerVector: index.bytesPerVector,
    stages: [...stages],
  };
  index.dispose();
  if (!million) return { small };
  const mix = mixer(new Random(2), real, D);
  const large = await Index.build(mix(100_000), million);
  let adding = 0;
  for (let i = 1; i < 10; i++) {
    const some = mix(100_000);
    const from = performance.now();
    await large.add(some);
    adding += (performance.now() - from) / 1000;
  }
  const { size: count, bytes, bytesPerVector } = large;
  return { small, large: { spec: million, n: count, adding, ms: timeOf(large, queries, {}), bytes, bytesPerVector } };
}

main().then(
  (result) => {
    document.title = JSON.stringify({ ...result, agent: navigator.userAgent });
  },
  (error) => {
    document.title = JSON.stringify({ error: String(error?.stack ?? error) });
  },
);
