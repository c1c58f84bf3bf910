// Runs in the browser: our graphs and those of other WASM packages on the same vectors. scripts/search-peers.mjs bundles it and opens it; the answer is the page's title.
import { Index } from "@lowbit/search";
import { fromHalf } from "lowbit";
import { edgevec, hnswlib, measure, ours, voy } from "./peers.mjs";

const D = 384;
const QUERIES = 200;

async function main() {
  const bytes = await (await fetch("./base_f16.npy")).arrayBuffer();
  const start = 10 + new DataView(bytes).getUint16(8, true);
  const rows = Float32Array.from(new Uint16Array(bytes.slice(start)), fromHalf);
  const cut = rows.length - QUERIES * D;
  const base = { shape: [cut / D, D], data: rows.slice(0, cut) };
  const queries = { shape: [QUERIES, D], data: rows.slice(cut) };
  const flat = await Index.build(base, "Flat");
  const truth = flat.searchAll(queries, 10).numbers;
  flat.dispose();
  const at = (path) => import(new URL(`/peers/${path}`, location.href).href);
  const engines = [
    ours(Index, "HNSW16"),
    ours(Index, "HNSW16,SQ8"),
    hnswlib("hnswlib-wasm", async () => ({
      ...(await (await at("hnswlib-wasm/dist/hnswlib.js")).loadHnswlib()),
      list: (row) => row,
      // All arguments have to be there: no file of its storage, no filter.
      files: [""],
      filter: [undefined],
    })),
    edgevec(async () => {
      const module = await at("edgevec/edgevec.js");
      await module.default();
      return module;
    }),
    voy(async () => {
      // Its own loader imports a .wasm file as a module, which no browser does.
      const module = await at("voy-search/voy_search_bg.js");
      const wasm = fetch(new URL("/peers/voy-search/voy_search_bg.wasm", location.href));
      const { instance } = await WebAssembly.instantiateStreaming(wasm, { "./voy_search_bg.js": module });
      module.__wbg_set_wasm(instance.exports);
      return module;
    }),
  ];
  return { found: await measure(engines, base, queries, truth), agent: navigator.userAgent };
}

main().then(
  (result) => {
    document.title = JSON.stringify(result);
  },
  (error) => {
    document.title = JSON.stringify({ error: String(error?.stack ?? error) });
  },
);
