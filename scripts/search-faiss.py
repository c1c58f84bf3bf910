# What faiss-cpu makes of the files that scripts/search-faiss.mjs wrote: `python scripts/search-faiss.py FOLDER`. Exits with 1 where codes differ, or numbers by more than ties.
import json
import pathlib
import sys

import faiss
import numpy as np

folder = pathlib.Path(sys.argv[1])
faiss.omp_set_num_threads(1)


def packed(packer, blocks, n):
    """Codes of the vectors in blocks, one after the other."""
    blocks = np.ascontiguousarray(blocks).reshape(-1, packer.block_size)
    return np.stack([packer.unpack_1(blocks, i) for i in range(n)])


def codes_of(index):
    """u8 [n, bytes], in the order of ids."""
    index = faiss.downcast_index(index)
    n = index.ntotal
    if isinstance(index, faiss.IndexPreTransform):
        return codes_of(index.index)
    if isinstance(index, faiss.IndexRefine):
        return codes_of(index.base_index)
    if isinstance(index, faiss.IndexHNSW):
        return codes_of(index.storage)
    if isinstance(index, faiss.IndexFastScan):
        return packed(index.get_CodePacker(), faiss.vector_to_array(index.codes), n)
    if isinstance(index, faiss.IndexIVF):
        lists = faiss.downcast_InvertedLists(index.invlists)
        size = index.code_size
        codes = np.zeros((n, size), "uint8")
        for i in range(index.nlist):
            count = lists.list_size(i)
            if count == 0:
                continue
            ids = faiss.rev_swig_ptr(lists.get_ids(i), count)
            if isinstance(index, faiss.IndexIVFFastScan):
                packer = index.get_CodePacker()
                bytes_ = -(-count // packer.nvec) * packer.block_size
                codes[ids] = packed(packer, faiss.rev_swig_ptr(lists.get_codes(i), bytes_), count)
            else:
                codes[ids] = faiss.rev_swig_ptr(lists.get_codes(i), count * size).reshape(count, size)
        return codes
    return faiss.vector_to_array(index.codes).reshape(n, -1)


def fast_scan(index):
    index = faiss.downcast_index(index)
    return isinstance(index, (faiss.IndexFastScan, faiss.IndexIVFFastScan))


def compare(distances, ids, ours):
    """Places that differ by more than a tie within 1e-5; `distances` of more than k, best first."""
    wrong = ties = 0
    for d, i, mine in zip(distances, ids, ours):
        for rank, number in enumerate(mine):
            if i[rank] == number:
                continue
            at = np.flatnonzero(i == number)
            tie = len(at) > 0 and abs(d[at[0]] - d[rank]) <= 1e-5 * max(1, abs(d[rank]))
            ties += tie
            wrong += not tie
    return wrong, ties


print(f"faiss-cpu {faiss.__version__}: whether codes are equal, byte for byte, and how many of the numbers that a search finds are others, but for ties within 1e-5.")
print()
print("| index | metric | class | codes | other numbers | ties |")
print("|---|---|---|---|---|---|")
failed = False
for case in json.loads((folder / "cases.json").read_text()):
    name, k, d = case["name"], case["k"], case["dimension"]
    queries = np.fromfile(folder / "queries", "float32").reshape(-1, d)
    ours = np.fromfile(folder / f"{name}.numbers", "int32").reshape(-1, k)
    expected = np.fromfile(folder / f"{name}.codes", "uint8")
    note, exact = "", True
    if case["metric"] == "hamming":
        index = faiss.read_index_binary(str(folder / f"{name}.faiss"))
        codes = faiss.vector_to_array(index.xb)
        x = np.packbits(queries < 0, axis=1, bitorder="little")
        distances, ids = index.search(x, 4 * k)
    else:
        index = faiss.read_index(str(folder / f"{name}.faiss"))
        codes = codes_of(index).ravel()
        if isinstance(index, faiss.IndexRefine):
            # As many candidates for four times as many numbers.
            index.k_factor /= 4
        if fast_scan(index) and not isinstance(faiss.downcast_index(index), faiss.IndexIVF):
            # It rounds its tables to bytes: what its codes stand for is compared by exact distances.
            y = index.reconstruct_n(0, index.ntotal)
            distances, ids = faiss.knn(queries, y, 4 * k, metric=index.metric_type)
            note = " (of what its codes stand for)"
        elif fast_scan(index):
            distances, ids = index.search(queries, 4 * k)
            note, exact = " (tables rounded to bytes there)", False
        else:
            distances, ids = index.search(queries, 4 * k)
    same = len(codes) == len(expected) and bool((codes == expected).all())
    wrong, ties = compare(distances, ids, ours)
    failed |= not same or (exact and wrong > 0)
    row = [f"`{case['spec']}`", case["metric"], type(index).__name__, "equal" if same else "DIFFER", f"{wrong} of {ours.size}{note}", ties]
    print("|", *[f"{cell} |" for cell in row], flush=True)
sys.exit(failed)
