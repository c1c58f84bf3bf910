# Writes packages/core/test/golden/faiss.json: what faiss finds in small sets of quantized vectors, an oracle from outside for the scans.
#
#   pip install faiss-cpu numpy && python scripts/make-search-golden.py
#
# All numbers are small integers, so sums are exact in any order, and the seeds are such that no two of the best candidates tie. The data are not in the file:
# packages/core/test/search-golden.test.ts draws them from the same generator (`integers` in packages/core/test/kernels/random.ts).
import json
import pathlib

import faiss
import numpy as np


def integers(seed):
    """Mulberry32, as in random.ts."""
    state = seed & 0xFFFFFFFF

    def mul(a, b):
        return (a * b) & 0xFFFFFFFF

    def draw(low, high):
        nonlocal state
        state = (state + 0x6D2B79F5) & 0xFFFFFFFF
        z = mul(state ^ (state >> 15), 1 | state)
        z = ((z + mul(z ^ (z >> 7), 61 | z)) & 0xFFFFFFFF) ^ z
        return low + (z ^ (z >> 14)) % (high - low + 1)

    return draw


def many(draw, shape, low, high, dtype):
    return np.array([draw(low, high) for _ in range(int(np.prod(shape)))], dtype=dtype).reshape(shape)


def pq(bits, subspaces, dimension, metric, seed, n=400, queries=3, k=10):
    draw = integers(seed)
    centroids = 1 << bits
    codebooks = many(draw, (subspaces, centroids, dimension), -60, 60, "float32")
    codes = many(draw, (n, subspaces), 0, centroids - 1, "uint8")
    x = many(draw, (queries, subspaces * dimension), -60, 60, "float32")
    kind = {"l2": faiss.METRIC_L2, "ip": faiss.METRIC_INNER_PRODUCT}[metric]
    index = faiss.IndexPQ(subspaces * dimension, subspaces, bits, kind)
    faiss.copy_array_to_vector(codebooks.ravel(), index.pq.centroids)
    index.is_trained = True
    packed = codes if bits == 8 else codes[:, 0::2] | codes[:, 1::2] << 4
    faiss.copy_array_to_vector(np.ascontiguousarray(packed).ravel(), index.codes)
    index.ntotal = n
    scores, ids = index.search(x, k + 1)
    assert all(len(set(row)) == k + 1 for row in scores.tolist()), "a tie: take another seed"
    # Inner products are negated there.
    sign = 1 if metric == "l2" else -1
    return {
        "bits": bits, "subspaces": subspaces, "dimension": dimension, "metric": metric, "seed": seed, "n": n, "queries": queries, "k": k,
        "ids": ids[:, :k].ravel().tolist(), "scores": [sign * int(score) for score in scores[:, :k].ravel()],
    }


def hamming(bits, seed, n=300, queries=2, radius_of=5):
    draw = integers(seed)
    data = many(draw, (n, bits // 8), 0, 255, "uint8")
    x = many(draw, (queries, bits // 8), 0, 255, "uint8")
    index = faiss.IndexBinaryFlat(bits)
    index.add(data)
    distances, ids = index.search(x, n)
    order = [np.lexsort((ids[q], distances[q])) for q in range(queries)]
    radius = int(distances[0][order[0][radius_of]])
    limits, near, which = index.range_search(x[:1], radius + 1)
    assert limits.tolist() == [0, len(which)]
    return {
        "bits": bits, "seed": seed, "n": n, "queries": queries, "radius": radius,
        "distances": [int(distances[q][i]) for q in range(queries) for i in order[q][:10]],
        "ids": [int(ids[q][i]) for q in range(queries) for i in order[q][:10]],
        "within": sorted([int(i), int(d)] for i, d in zip(which, near)),
    }


golden = {
    "faiss": faiss.__version__,
    "pq": [
        pq(8, 16, 2, "l2", 1), pq(8, 32, 1, "ip", 2), pq(8, 5, 3, "l2", 3), pq(8, 48, 2, "ip", 4),
        pq(4, 16, 2, "l2", 5), pq(4, 32, 2, "ip", 6), pq(4, 64, 1, "l2", 7), pq(4, 6, 9, "l2", 13),
    ],
    "hamming": [hamming(384, 9), hamming(1024, 10), hamming(96, 11)],
}
file = pathlib.Path(__file__).parent.parent / "packages/core/test/golden/faiss.json"
file.write_text(json.dumps(golden, separators=(",", ":")) + "\n")
print(file, file.stat().st_size, "bytes")
