# Milvus' side of scripts/search-milvus.mjs, in its embedded form: FOLDER DIMENSION K METRIC. Prints ids and scores as JSON.
import json
import pathlib
import sys

import milvus_lite
import numpy as np
from pymilvus import DataType, MilvusClient

folder, dimension, k = pathlib.Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
metric = sys.argv[4]
queries = np.fromfile(folder / "queries", "float32").reshape(-1, dimension)

# The rows of the tensor `codes` of a saved index, a safetensors file.
file = (folder / "index").read_bytes()
start = 8 + int.from_bytes(file[:8], "little")
begin, end = json.loads(file[8:start])["codes"]["data_offsets"]
rows = np.frombuffer(file[start + begin : start + end], "<f4").reshape(-1, dimension).tolist()

client = MilvusClient(str(folder / "milvus.db"))
client.drop_collection("rows")
schema = client.create_schema(auto_id=False)
schema.add_field("id", DataType.INT64, is_primary=True)
schema.add_field("x", DataType.FLOAT_VECTOR, dim=dimension)
index = client.prepare_index_params()
index.add_index(field_name="x", index_type="FLAT", metric_type=metric)
client.create_collection("rows", schema=schema, index_params=index)
for at in range(0, len(rows), 1000):
    client.insert("rows", [{"id": i, "x": rows[i]} for i in range(at, min(at + 1000, len(rows)))])
found = client.search("rows", data=queries.tolist(), limit=k, anns_field="x", search_params={"metric_type": metric})
ids = [[hit["id"] for hit in hits] for hits in found]
scores = [[hit["distance"] for hit in hits] for hits in found]
version = getattr(milvus_lite, "__version__", "")
print(json.dumps({"ids": ids, "scores": scores, "version": version}))
