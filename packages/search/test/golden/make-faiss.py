"""Writes what faiss-cpu 1.15 makes of a few vectors, and what it finds, beside this file: `python make-faiss.py`. Tests need no Python."""

import base64
import json
import pathlib

import faiss
import numpy as np

here = pathlib.Path(__file__).parent
faiss.omp_set_num_threads(1)
d, n = 8, 300
random = np.random.default_rng(1)
base = random.normal(size=(n, d)).astype("float32")
queries = random.normal(size=(5, d)).astype("float32")
text = lambda a: base64.b64encode(np.ascontiguousarray(a).tobytes()).decode()

cases = {}


def case(name, index, binary=False, ids=None):
    b = np.packbits(base < 0, axis=1, bitorder="little") if binary else base
    q = np.packbits(queries < 0, axis=1, bitorder="little") if binary else queries
    if not binary:
        index.train(b)
    if ids is None:
        index.add(b)
    else:
        index.add_with_ids(b, ids)
    distances, found = index.search(q, 10)
    data = faiss.serialize_index_binary(index) if binary else faiss.serialize_index(index)
    (here / f"{name}.faiss").write_bytes(data.tobytes())
    cases[name] = {"ids": found.tolist(), "scores": distances.astype("float64").tolist()}


def ivf(spec, metric):
    index = faiss.index_factory(d, spec, metric)
    index.nprobe = 16
    return index


def graph(index):
    index.hnsw.efSearch = 64
    return index


ip, l2 = faiss.METRIC_INNER_PRODUCT, faiss.METRIC_L2
case("flat-l2", faiss.index_factory(d, "Flat", l2))
case("flat-ip", faiss.index_factory(d, "Flat", ip))
case("pq", faiss.IndexPQ(d, 2, 8, l2))
case("pq-fast", faiss.IndexPQFastScan(d, 4, 4, l2))
case("pq-fast-odd", faiss.index_factory(d, "PQ1x4fs", ip))
case("pq4", faiss.IndexPQ(d, 4, 4, ip))
case("ivf-pq", ivf("IVF16,PQ2x8", l2))
case("ivf-pq-ids", ivf("IVF16,PQ2x8", l2), ids=np.arange(n)[::-1] * 7 + 2**40)
case("ivf-flat", ivf("IVF16,Flat", l2))
case("ivf-pq-fast", ivf("IVF16,PQ4x4fsr", l2))
case("ivf-pq-fast-odd", ivf("IVF4,PQ1x4fsr", l2), ids=np.arange(n)[::-1] * 3)
case("graph", graph(faiss.IndexHNSWFlat(d, 4, l2)))
case("graph-ip", graph(faiss.IndexHNSWFlat(d, 4, ip)))
case("graph-pq", graph(faiss.IndexHNSWPQ(d, 2, 4)))
case("map", faiss.IndexIDMap(faiss.IndexFlatL2(d)), ids=np.arange(n) * 3 + 5)
opq = faiss.IndexPreTransform(faiss.OPQMatrix(d, 2), faiss.IndexPQ(d, 2, 8, l2))
case("opq", opq)
refined = faiss.index_factory(d, "PQ2x8,RFlat", l2)
refined.k_factor = 5
case("refined", refined)
case("binary", faiss.IndexBinaryFlat(d), binary=True)
(here / "faiss.json").write_text(json.dumps({"base": text(base), "queries": text(queries), "cases": cases}) + "\n")
