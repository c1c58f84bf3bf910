# faiss-cpu's side of scripts/search-speed.mjs, on one thread: a command a line, JSON, and its answer. Vectors are in FOLDER, f32, of the dimension that is given.
import json
import pathlib
import sys
import time

import faiss
import numpy as np

folder, dimension = pathlib.Path(sys.argv[1]), int(sys.argv[2])
faiss.omp_set_num_threads(1)
base = np.memmap(folder / "base", "float32", "r").reshape(-1, dimension)
queries = np.fromfile(folder / "queries", "float32").reshape(-1, dimension)
signs = np.packbits(queries < 0, axis=1, bitorder="little")
opened = None


def searched(index, rows, k, batch):
    found = np.empty((len(rows), k), "int64")
    start = time.perf_counter()
    for i in range(0, len(rows), batch):
        found[i : i + batch] = index.search(rows[i : i + batch], k)[1]
    return found, (time.perf_counter() - start) * 1000 / len(rows)


def run(command):
    global opened
    match command["do"]:
        case "versions":
            return {"faiss": faiss.__version__, "built": faiss.get_compile_options()}
        case "truth":
            flat = faiss.IndexFlatL2(dimension)
            flat.add(base)
            return {"numbers": flat.search(queries, command["k"])[1].ravel().tolist()}
        case "open":
            read = faiss.read_index_binary if command["binary"] else faiss.read_index
            opened = read(str(folder / "index.faiss"))
            if "nprobe" in command:
                faiss.extract_index_ivf(opened).nprobe = command["nprobe"]
            return {}
        case "build":
            start = time.perf_counter()
            opened = faiss.index_factory(dimension, command["spec"], faiss.METRIC_L2)
            opened.train(base[: command["training"]])
            trained = time.perf_counter()
            opened.add(base)
            return {"train": trained - start, "add": time.perf_counter() - trained}
        case "train":
            start = time.perf_counter()
            faiss.index_factory(dimension, command["spec"], faiss.METRIC_L2).train(base[: command["rows"]])
            return {"seconds": time.perf_counter() - start}
        case "search":
            rows = signs if isinstance(opened, faiss.IndexBinary) else queries
            found, ms = searched(opened, rows[: command["queries"]], command["k"], command["batch"])
            return {"ms": ms, "numbers": found.ravel().tolist()}


for line in sys.stdin:
    print(json.dumps(run(json.loads(line))), flush=True)
