// k-means and product quantization of a 1024 x 4096 matrix beside faiss on one thread: times, their ratio, and the errors.
//
//   node scripts/codebook-speed.mjs [--python /path/to/python] [--filter words]
//
// The same numbers for both, N(0,1) of a seeded generator; 25 Lloyd passes at most (faiss makes all of them, we stop where nothing changes), 256 centroids, seed 1. Ours is the median of three runs in
// the best tier of this engine, with all copies in and out, in seconds of the processor (other programs of the machine do not count); faiss (a `pip install faiss-cpu` of the given python) is that of `train` alone. Without --python only our side is timed.
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { kmeans, pq, quantize, Random, trainProductCodebooks } from "../packages/core/dist/quantize.js";

const { values } = parseArgs({ options: { python: { type: "string" }, filter: { type: "string", default: "" } } });

const [rows, columns, iterations, seed] = [1024, 4096, 25, 1];
const random = new Random(seed);
const normal = () => Math.sqrt(-2 * Math.log(1 - random.uniform())) * Math.cos(2 * Math.PI * random.uniform());
const data = Float32Array.from({ length: rows * columns }, normal);
const scheme = (quantizer) => async () =>
  (await quantize({ shape: [rows, columns], data }, quantizer, { seed })).error.mse;

/** Ours, and the same in faiss: an expression over `x` [1024, 4096] that trains and gives the mean squared error of an element. */
const cases = {
  "product, 1024 sub-spaces of 4": {
    ours: async () => {
      const { error } = await trainProductCodebooks({ shape: [rows, columns], data }, { subspaces: 1024, seed });
      return error / columns;
    },
    faiss: "product(1024)",
  },
  "product, 512 sub-spaces of 8": {
    ours: async () => {
      const { error } = await trainProductCodebooks({ shape: [rows, columns], data }, { subspaces: 512, seed });
      return error / columns;
    },
    faiss: "product(512)",
  },
  "product, 64 sub-spaces of 64": {
    ours: async () => {
      const { error } = await trainProductCodebooks({ shape: [rows, columns], data }, { subspaces: 64, seed });
      return error / columns;
    },
    faiss: "product(64)",
  },
  "one codebook of sub-vectors of 8": {
    ours: scheme(pq({ dimension: 8, centroids: 256, iterations })),
    faiss: "means(x.reshape(-1, 8), 256)",
  },
  "whole rows, 256 centroids": {
    ours: scheme(pq({ dimension: columns, centroids: 256, iterations })),
    faiss: "means(x, 256)",
  },
  "whole rows, 16 centroids": {
    ours: scheme(pq({ dimension: columns, centroids: 16, iterations })),
    faiss: "means(x, 16)",
  },
  "single weights, 256 levels": {
    ours: scheme(kmeans({ k: 256, restarts: 1 })),
    faiss: "means(x.reshape(-1, 1), 256)",
  },
};

const script = `
import json, sys, time, warnings
import faiss, numpy as np
faiss.omp_set_num_threads(1)
x = np.fromfile(sys.argv[1], dtype=np.float32).reshape(${rows}, ${columns})

def product(m):
    q = faiss.ProductQuantizer(x.shape[1], m, 8)
    q.cp.niter, q.cp.seed = ${iterations}, ${seed}
    start = time.process_time()
    q.train(x)
    return time.process_time() - start, float(np.square(q.decode(q.compute_codes(x)) - x).mean())

def means(v, k):
    v = np.ascontiguousarray(v)
    km = faiss.Kmeans(v.shape[1], k, niter=${iterations}, seed=${seed})
    start = time.process_time()
    km.train(v)
    seconds = time.process_time() - start
    return seconds, float(km.index.search(v, 1)[0].sum() / v.size)

print(json.dumps(eval(sys.argv[2])))
`;

const folder = mkdtempSync(join(tmpdir(), "codebooks-"));
writeFileSync(join(folder, "x.bin"), data);
try {
  for (const [name, { ours, faiss }] of Object.entries(cases)) {
    if (!name.includes(values.filter)) continue;
    const times = [];
    let mse = 0;
    for (let turn = 0; turn < 3; turn++) {
      const start = process.cpuUsage();
      mse = await ours();
      const { user, system } = process.cpuUsage(start);
      times.push((user + system) / 1e6);
    }
    const seconds = times.sort((a, b) => a - b)[1];
    let line = `${name}: ${seconds.toFixed(2)} s, error ${mse.toPrecision(5)}`;
    if (values.python) {
      const output = execFileSync(values.python, ["-c", script, join(folder, "x.bin"), faiss], {
        encoding: "utf8",
        stdio: ["ignore", "pipe", "ignore"],
      });
      const [theirs, error] = JSON.parse(output);
      line += `; faiss ${theirs.toFixed(2)} s, ${error.toPrecision(5)}; time ${(seconds / theirs).toFixed(2)} x, error ${(mse / error).toFixed(4)} x`;
    }
    console.log(line);
  }
} finally {
  rmSync(folder, { recursive: true });
}
