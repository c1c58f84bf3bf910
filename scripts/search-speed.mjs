// Queries per second over a million vectors beside native faiss-cpu: one thread each, rounds in turn, medians. Faiss loads the file that `toFaiss` writes, so both search the same codes; RaBitQ, which has no such file,
// is built by each of the same rows. Also how long either takes to learn a product quantizer.
//
//   pip install faiss-cpu numpy
//   node scripts/search-speed.mjs [--python python3] [--rows 1000000] [--only PQ48x8] [--rounds 7] [--write]      --write: into docs/results.md
//
// The whole takes some 20 minutes, most of them to build. The vectors are made from real ones (`search/mixer.mjs`, with noise of a quarter of their length), 1.5 GB of them on disk meanwhile; queries are real and have no part in them. Needs a build (`pnpm build`), some 6 GB of memory, and the data set minilm beside the checkout or
// where LOWBIT_DATA points. Node 24 has the fastest tier.
import { spawn } from "node:child_process";
import { appendFileSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { parseArgs } from "node:util";
import { whenMain } from "./main-module.mjs";
import { median } from "./median.mjs";
import { writeSection } from "./results-section.mjs";
import { bytesOf, data, load, normalize, readRows } from "./search/minilm.mjs";
import { mixer } from "./search/mixer.mjs";
import { root } from "./setup/paths.mjs";

const K = 10;
const QUERIES = 200;
/** Rows that codebooks are learned from, by both where both learn. */
const TRAINING = 65_536;

/** Spec, metric, queries of a call, the ratio that is asked, what is set at query time; for RaBitQ the names of Faiss' own. */
const CASES = [
  { spec: "PQ16x8", batches: [1, 16], asked: 1.6 },
  { spec: "PQ32x8", batches: [1, 16], asked: 1.2 },
  { spec: "PQ48x8", batches: [1, 16], asked: 1.0 },
  { spec: "PQ48x4fs", batches: [1, 16], asked: 0.6 },
  { spec: "Binary", metric: "hamming", batches: [1, 16], asked: 1.0 },
  { spec: "IVF1024,PQ48x8", batches: [1, 16], asked: 0.7, options: { nprobe: 16 } },
  { spec: "RaBitQ4", batches: [1, 16], asked: 0.5, built: ["RaBitQ4", "RaBitQfs4"] },
];
const TRAINED = [
  ["PQ16x8", "PQ16"],
  ["PQ48x8", "PQ48"],
];

/** A process of Python that answers line by line. */
function startFaiss(python, folder, d) {
  const child = spawn(python, [join(root, "scripts", "search-speed.py"), folder, String(d)], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  return {
    async ask(command) {
      child.stdin.write(`${JSON.stringify(command)}\n`);
      const { value, done } = await lines.next();
      if (done) throw new Error(`${python}: ended while it was asked ${JSON.stringify(command)}`);
      return JSON.parse(value);
    },
    end: () => child.kill(),
  };
}

const recallOf = (numbers, truth) => {
  let found = 0;
  for (let i = 0; i < numbers.length; i += K) {
    const nearest = new Set(truth.slice(i, i + K));
    for (let j = 0; j < K; j++) found += Number(nearest.has(numbers[i + j]));
  }
  return found / numbers.length;
};

function searched(index, queries, count, batch, options) {
  const d = queries.shape[1];
  const all = new Int32Array(count * K);
  const start = performance.now();
  for (let i = 0; i < count; i += batch) {
    const shape = [Math.min(batch, count - i), d];
    const { numbers } = index.searchAll({ shape, data: queries.data.subarray(i * d, (i + shape[0]) * d) }, K, options);
    all.set(numbers, i * K);
  }
  return { ms: (performance.now() - start) / count, numbers: all };
}

async function race(index, faiss, { spec, batches, asked, options = {} }, peer, { queries, truth, rounds }) {
  const rows = [];
  for (const batch of batches) {
    const times = { ours: [], theirs: [] };
    let [ours, theirs] = [];
    for (let round = 0; round <= rounds; round++) {
      ours = searched(index, queries, QUERIES, batch, options);
      theirs = await faiss.ask({ do: "search", k: K, batch, queries: QUERIES });
      // The first warms up.
      if (round === 0) continue;
      times.ours.push(ours.ms);
      times.theirs.push(theirs.ms);
    }
    const [mine, other] = [median(times.ours), median(times.theirs)];
    // Of signs the nearest by cosine say nothing about the search: codes and distances are the same, ties aside.
    const recalls =
      spec === "Binary" ? ["", ""] : [ours, theirs].map(({ numbers }) => recallOf(numbers, truth).toFixed(3));
    rows.push(
      `| \`${spec}\` | ${peer} | ${batch} | ${(1000 / mine).toFixed(0)} | ${(1000 / other).toFixed(0)} | **${(other / mine).toFixed(2)}** | ${batch === 1 ? asked : ""} | ${recalls.join(" | ")} |`,
    );
    console.log(rows.at(-1));
  }
  return rows;
}

await whenMain(import.meta.url, async () => {
  const { values } = parseArgs({
    options: {
      python: { type: "string", default: "python3" },
      rows: { type: "string", default: "1000000" },
      rounds: { type: "string", default: "7" },
      only: { type: "string" },
      write: { type: "boolean", default: false },
    },
  });
  const { Index, toFaiss } = await load("@lowbit/search");
  const { Random } = await load("lowbit/quantize");
  const real = await readRows(join(data, "minilm", "base_f16.npy"));
  const { n, d } = real;
  const load1 = loadavg()[0].toFixed(1);
  const [count, rounds] = [Number(values.rows), Number(values.rounds)];
  const kept = real.data.subarray(0, (n - QUERIES) * d);
  const base = mixer(new Random(1), kept, d, 0.25 * Math.sqrt(12 / d))(count);
  normalize(base.data, d);
  const queries = { shape: [QUERIES, d], data: real.data.slice((n - QUERIES) * d) };
  const training = {
    shape: [Math.min(count, TRAINING), d],
    data: base.data.subarray(0, Math.min(count, TRAINING) * d),
  };
  const folder = mkdtempSync(join(tmpdir(), "lowbit-search-speed-"));
  let faiss;
  try {
    writeFileSync(join(folder, "queries"), bytesOf(queries.data));
    const bytes = bytesOf(base.data);
    for (let at = 0; at < bytes.length; at += 2 ** 28)
      appendFileSync(join(folder, "base"), bytes.subarray(at, at + 2 ** 28));
    faiss = startFaiss(values.python, folder, d);
    const { faiss: version, built } = await faiss.ask({ do: "versions" });
    const { numbers: truth } = await faiss.ask({ do: "truth", k: K });
    const lines = [
      "## Vector search beside native Faiss",
      "",
      `Queries a second over ${count.toLocaleString("en")} vectors of ${d} numbers, made from embeddings of MiniLM (squared distance, k = ${K}, ${QUERIES} real queries; signs by Hamming distance), one thread each, in turns: medians of ${rounds}. Node ${process.version}; faiss-cpu ${version}`,
      `(${built.trim()}) on the same codes; load of the machine before it began ${load1}. \`nprobe\` is 16. Asked is the ratio for one query at a time.`,
      "",
      "| index | Faiss | queries a call | ours | faiss | ratio | asked | recall@10 | faiss |",
      "|---|---|---|---|---|---|---|---|---|",
    ];
    console.log(lines.join("\n"));
    for (const one of CASES) {
      if (values.only && one.spec !== values.only) continue;
      const index = await Index.build(training, one.spec, { metric: one.metric ?? "l2" });
      if (count > TRAINING) {
        const rest = { shape: [count - TRAINING, d], data: base.data.subarray(TRAINING * d) };
        await index.add(rest);
      }
      const context = { queries, truth, rounds };
      if (one.built)
        for (const spec of one.built) {
          await faiss.ask({ do: "build", spec, training: TRAINING });
          lines.push(...(await race(index, faiss, one, `\`${spec}\``, context)));
        }
      else {
        writeFileSync(join(folder, "index.faiss"), toFaiss(index));
        await faiss.ask({ do: "open", binary: one.metric === "hamming", ...one.options });
        lines.push(...(await race(index, faiss, one, "same codes", context)));
      }
      index.dispose();
    }
    if (!values.only) {
      const rows = [
        "",
        `Seconds to learn codebooks from ${TRAINING.toLocaleString("en")} of them, and how often Faiss' time (asked: at most 2.5):`,
        "",
        "| index | ours | faiss | times |",
        "|---|---|---|---|",
      ];
      for (const [spec, theirs] of TRAINED) {
        const [mine, other] = [[], []];
        for (let round = 0; round < 3; round++) {
          const start = performance.now();
          const index = await Index.build(training, spec, { metric: "l2" });
          mine.push((performance.now() - start) / 1000);
          index.dispose();
          other.push((await faiss.ask({ do: "train", spec: theirs, rows: TRAINING })).seconds);
        }
        rows.push(
          `| \`${spec}\` | ${median(mine).toFixed(1)} | ${median(other).toFixed(1)} | ${(median(mine) / median(other)).toFixed(2)} |`,
        );
      }
      console.log(rows.join("\n"));
      lines.push(...rows);
    }
    if (values.write) writeSection("search-speed", "node scripts/search-speed.mjs --write", lines.join("\n"));
  } finally {
    faiss?.end();
    rmSync(folder, { recursive: true });
  }
});
