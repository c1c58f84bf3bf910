# Recall@10 of faiss-cpu's indexes on the vectors of scripts/search-recall.mjs: what its tables compare with.
#
#   pip install faiss-cpu numpy && python scripts/search-recall-faiss.py ../shared/data/minilm/base_f16.npy PQ48 RQ8x8 RQ8x8_Nqint8@l2 HNSW32_PQ48
# With --spread in front of the indexes, 500 rows spread evenly over the file are the queries, as there.
import sys

import faiss
import numpy as np

faiss.omp_set_num_threads(1)
rows = np.load(sys.argv[1]).astype("float32")
rows /= np.linalg.norm(rows, axis=1, keepdims=True)
words = sys.argv[2:]
held = np.arange(len(rows) - 500, len(rows))
if words[:1] == ["--spread"]:
    words = words[1:]
    held = np.arange(500) * len(rows) // 500
base, queries = np.delete(rows, held, axis=0), rows[held].copy()
flat = faiss.IndexFlatIP(base.shape[1])
flat.add(base)
truth = flat.search(queries, 10)[1]
for word in words:
    spec, _, metric = word.partition("@")
    index = faiss.index_factory(base.shape[1], spec, faiss.METRIC_L2 if metric == "l2" else faiss.METRIC_INNER_PRODUCT)
    index.train(base)
    index.add(base)
    for breadth in (16, 32, 64, 128, 256) if spec.startswith("HNSW") else (0,):
        if breadth:
            index.hnsw.efSearch = breadth
        found = index.search(queries, 10)[1]
        recall = np.mean([len(set(a) & set(b)) / 10 for a, b in zip(found, truth)])
        print(word, breadth or "", round(float(recall), 4), flush=True)
