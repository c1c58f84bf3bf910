"""Seconds of the processor that faiss takes on one thread for the work of `pq` in scripts/quantizer-speed.mjs.

    OPENBLAS_NUM_THREADS=1 python3 scripts/quantizer-speed.py    (needs faiss-cpu and numpy)

One codebook for all sub-vectors of a 1024 x 4096 matrix of N(0,1): `faiss.Kmeans` with 25 iterations on its sample of 256 points a centroid, then the nearest centroid of every
sub-vector. (`faiss.ProductQuantizer` trains a codebook for each place in the row, which is another, larger work.) Medians of three seeds. Ours also checks, copies, packs and measures the error.
"""

import time

import faiss
import numpy

faiss.omp_set_num_threads(1)
matrix = numpy.random.default_rng(1).standard_normal((1024, 4096), dtype=numpy.float32)

for dimension in (4, 8, 16, 64, 4096):
    x = matrix.reshape(-1, dimension)
    times, errors = [], []
    for seed in (1, 2, 3):
        start = time.process_time()
        kmeans = faiss.Kmeans(dimension, 256, niter=25, seed=seed)
        kmeans.train(x)
        _, codes = kmeans.index.search(x, 1)
        times.append(time.process_time() - start)
        errors.append(float(((x - kmeans.centroids[codes[:, 0]]) ** 2).mean()))
    print(f"{dimension}x256: {sorted(times)[1]:.2f} s, squared error {sorted(errors)[1]:.4g} of a weight")
