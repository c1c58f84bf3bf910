/** faiss as machine code, one thread, through Python where it is installed. */
import type { Case, Tensors } from "../case.ts";
import { familyOf } from "../cases/index.ts";
import type { EngineSource } from "../engine.ts";
import type { Scan } from "../task.ts";
import { enginesOf, preparedIn } from "./process.ts";
import { startPython } from "./python.ts";

/**
 * The tables of a task become codebooks: coordinate q of a centroid is its entry, negated, in the table of query q, and query q is a unit vector in every
 * part. The largest inner products are then the smallest scores, and faiss makes the same tables in every search.
 */
const program = `
import faiss
faiss.omp_set_num_threads(1)
cases = {}
def on_version(request): return {"version": faiss.__version__}
def quantized(codes, tables, parts, bits, nq):
    books = -tables.reshape(nq, parts, 1 << bits).transpose(1, 2, 0)
    index = faiss.IndexPQ(parts * nq, parts, bits, faiss.METRIC_INNER_PRODUCT)
    faiss.copy_array_to_vector(np.ascontiguousarray(books).ravel(), index.pq.centroids)
    rows = len(codes) // parts
    if bits == 4:
        pairs = np.pad(codes.reshape(rows, parts), ((0, 0), (0, parts & 1)))
        codes = (pairs[:, 0::2] | (pairs[:, 1::2] << 4)).ravel()
    faiss.copy_array_to_vector(codes, index.codes)
    index.ntotal, index.is_trained = rows, True
    return faiss.IndexPQFastScan(index) if bits == 4 else index
def on_load(request):
    codes, nq, parts = array(request["codes"], np.uint8), request["queries"], request["parts"]
    if request["kind"] == "hamming":
        index = faiss.IndexBinaryFlat(parts)
        index.add(codes.reshape(-1, parts // 8))
        queries = array(request["with"], np.uint8).reshape(nq, -1)
    else:
        index = quantized(codes, array(request["with"], np.float32), parts, 8 if request["kind"] == "pq8" else 4, nq)
        queries = np.tile(np.eye(nq, dtype=np.float32), (1, parts))
    state = {}
    def run(): state["y"] = index.search(queries, request["top"])[1]
    cases[request["id"]] = (run, state)
    return {}
def on_time(request): return {"ms": timed(cases[request["id"]][0], request["iterations"])}
def on_output(request): return {"ids": cases[request["id"]][1]["y"].ravel().tolist()}
def on_drop(request):
    del cases[request["id"]]
    return {}
`;

const names = { pq8: "native:faiss-pq", pq4: "native:faiss-fast-scan", hamming: "native:faiss-binary" } as const;

/** A fast scan quantizes tables to 8 bits and does not refine what it finds: an entry of [-1, 1) is at most half a step off, the ten may differ by that. */
const toleranceOf = ({ codes, parts }: Scan): number =>
  codes === "hamming" ? 0 : codes === "pq8" ? 1e-5 * parts : (2 / 255) * parts;

/** The smallest scores of each query, in plain loops over all of them; kept while a case lasts. */
const known = new WeakMap<Tensors, Float64Array>();
function bestScores(of: Case, { queries, rows, top }: Scan, tensors: Tensors): Float64Array {
  const found = known.get(tensors);
  if (found) return found;
  const all = familyOf(of).sums(of, tensors);
  const best = new Float64Array(queries * top);
  for (let query = 0; query < queries; query++)
    best.set(
      all
        .slice(query * rows, (query + 1) * rows)
        .sort()
        .subarray(0, top),
      query * top,
    );
  known.set(tensors, best);
  return best;
}

export const nativeFaiss: EngineSource = {
  name: "native",
  kind: "peer",
  open: (host) =>
    enginesOf(
      host,
      Object.values(names),
      () => startPython(program),
      "not installed: pip install faiss-cpu",
      (name, process) => ({
        supports({ task }) {
          if (task.op !== "scan" || names[task.codes] !== name) return "another kind of search";
          return task.codes !== "hamming" || task.parts % 8 === 0 ? true : "codes that are not whole bytes";
        },
        async prepare(of, tensors) {
          const task = of.task as Scan;
          const { queries, rows, parts, top } = task;
          const codes = await process.put(tensors.codes!);
          const values = await process.put((tensors.tables ?? tensors.queries)!);
          const load = { kind: task.codes, queries, parts, top, codes, with: values };
          return preparedIn(process, load, async (id) => {
            const ids = (await process.ask("output", { id })).ids as number[];
            // What it found is judged by its true scores: ties and roundings may order it otherwise.
            const positions = ids.map((row, i) => Math.floor(i / top) * rows + row);
            const best = bestScores(of, task, tensors);
            return {
              kind: "sums",
              data: familyOf(of).sums(of, tensors, positions),
              tolerance: toleranceOf(task),
              expected: (positions) => positions.map((position) => best[position] as number),
            };
          });
        },
      }),
    ),
};
