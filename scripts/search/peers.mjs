// Graphs of other packages beside ours, in Node and on a page: what scripts/search-peers.mjs measures.

const K = 10;
/** Links of a node, and nodes that are kept on the way when one is added. */
const LINKS = 16;
const CONSTRUCTION = 100;
const BREADTHS = [10, 16, 24, 32, 48, 64, 96, 128, 192, 256];
const ROUNDS = 5;

/** Each: its name, and from vectors to a search of one query at one of them, for numbers. */
export const ours = (Index, spec) => ({
  name: `lowbit ${spec}`,
  async build(base) {
    const index = await Index.build(base, spec, { efConstruction: CONSTRUCTION });
    return (query, efSearch) => index.search(query, K, { efSearch }).map(({ id }) => id);
  },
});

/** hnswlib-node and hnswlib-wasm, which have one form but for `load`. */
export const hnswlib = (name, load) => ({
  name,
  async build({ shape: [n, d], data }) {
    const { HierarchicalNSW, list, files = [], filter = [] } = await load();
    const index = new HierarchicalNSW("cosine", d, ...files);
    index.initIndex(n, LINKS, CONSTRUCTION, 100);
    for (let i = 0; i < n; i++) index.addPoint(list(data.subarray(i * d, (i + 1) * d)), i, false);
    return (query, breadth) => {
      index.setEfSearch ? index.setEfSearch(breadth) : index.setEf(breadth);
      return index.searchKnn(list(query), K, ...filter).neighbors;
    };
  },
});

/** One index for all breadths is not to be had: it is saved, and loaded for each. */
export const usearch = ({ Index, MetricKind, ScalarKind }, quantization, folder) => ({
  name: `usearch ${quantization}`,
  async build({ shape: [n, d], data }) {
    const setting = {
      ...{ dimensions: d, metric: MetricKind.Cos, quantization: ScalarKind[quantization] },
      ...{ connectivity: LINKS, expansion_add: CONSTRUCTION, multi: false },
    };
    const index = new Index({ ...setting, expansion_search: CONSTRUCTION });
    index.add(
      BigUint64Array.from({ length: n }, (_, i) => BigInt(i)),
      data,
      1,
    );
    const file = `${folder}/${quantization}.usearch`;
    index.save(file);
    const by = new Map();
    for (const breadth of BREADTHS) {
      const one = new Index({ ...setting, expansion_search: breadth });
      one.load(file);
      by.set(breadth, one);
    }
    return (query, breadth) => Array.from(by.get(breadth).search(query, K, 1).keys, Number);
  },
});

/** A graph of EdgeVec has one efSearch: each of these is a graph of its own, built when it is asked for the first time. */
const EDGEVEC_BREADTHS = [16, 64, 256];

export const edgevec = (load) => ({
  name: "edgevec",
  async build({ shape: [n, d], data }) {
    const { EdgeVec, EdgeVecConfig } = await load();
    const graph = (breadth) => {
      const config = new EdgeVecConfig(d);
      // Its cosine gives the furthest (0.9.0); of vectors of length 1 the order is the same.
      Object.assign(config, {
        metric: "l2",
        m: LINKS,
        m0: 2 * LINKS,
        ef_construction: CONSTRUCTION,
        ef_search: breadth,
      });
      const index = new EdgeVec(config);
      const ids = index.insertBatchFlat(data, n);
      return { index, numbers: new Map(Array.from(ids, (id, i) => [id, i])) };
    };
    const graphs = new Map([[EDGEVEC_BREADTHS[0], graph(EDGEVEC_BREADTHS[0])]]);
    return (query, efSearch) => {
      const breadth = EDGEVEC_BREADTHS.findLast((one) => one <= efSearch) ?? EDGEVEC_BREADTHS[0];
      if (!graphs.has(breadth)) graphs.set(breadth, graph(breadth));
      const { index, numbers } = graphs.get(breadth);
      return index.search(query, K).map(({ id }) => numbers.get(id));
    };
  },
});

/** A k-d tree, of which nothing can be set. */
export const voy = (load) => ({
  name: "voy-search",
  async build({ shape: [n, d], data }) {
    const { Voy } = await load();
    const embeddings = Array.from({ length: n }, (_, i) => ({
      ...{ id: String(i), title: "", url: "" },
      embeddings: Array.from(data.subarray(i * d, (i + 1) * d)),
    }));
    const index = new Voy({ embeddings });
    return (query) => index.search(query, K).neighbors.map(({ id }) => Number(id));
  },
});

/** The rounds of all engines in turn: `[{ name, built, points: [{ breadth, recall, ms }] }]`, or `{ name, error }`. */
export async function measure(engines, base, queries, truth) {
  const d = base.shape[1];
  const count = queries.shape[0];
  const rows = Array.from({ length: count }, (_, i) => queries.data.slice(i * d, (i + 1) * d));
  const nearest = rows.map((_, i) => new Set(truth.subarray(i * K, (i + 1) * K)));
  const running = [];
  for (const engine of engines) {
    const start = performance.now();
    try {
      const search = await engine.build(base);
      const built = (performance.now() - start) / 1000;
      const points = BREADTHS.map((breadth) => {
        const found = rows.reduce((sum, q, i) => sum + search(q, breadth).filter((id) => nearest[i].has(id)).length, 0);
        return { breadth, recall: found / (K * count), times: [] };
      });
      running.push({ name: engine.name, built, search, points });
    } catch (error) {
      running.push({ name: engine.name, error: String(error?.message ?? error), points: [] });
    }
  }
  for (let round = 0; round < ROUNDS; round++)
    for (const { search, points } of running)
      for (const { breadth, times } of points) {
        const start = performance.now();
        for (const query of rows) search(query, breadth);
        times.push((performance.now() - start) / count);
      }
  return running.map(({ name, built, error, points }) => ({
    name,
    built,
    error,
    points: points.map(({ breadth, recall, times }) => ({
      breadth,
      recall,
      ms: times.sort((a, b) => a - b)[ROUNDS >> 1],
    })),
  }));
}

/** Of each engine the fastest that reaches a recall, in milliseconds. */
export const fastest = ({ points }, recall) =>
  Math.min(...points.filter((point) => point.recall >= recall).map(({ ms }) => ms));
