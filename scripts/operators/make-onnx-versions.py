"""Writes onnx-versions.json: of every operator of ONNX's default domain, the first operator set that has it, and the last where it was taken away.

    python scripts/operators/make-onnx-versions.py    # needs the package `onnx`
"""
import json
import pathlib

from onnx import defs

NEWEST = 25
versions = {}
for schema in defs.get_all_schemas_with_history():
    if schema.domain == "" and schema.since_version <= NEWEST:
        versions.setdefault(schema.name, []).append((schema.since_version, schema.deprecated))
table = {}
for name, list_ in sorted(versions.items()):
    since = sorted(list_)
    gone = since[-1][0] - 1 if since[-1][1] else None
    table[name] = [since[0][0]] + ([gone] if gone else [])
lines = [f"  {json.dumps(name)}: {json.dumps(entry)}" for name, entry in table.items()]
pathlib.Path(__file__).with_name("onnx-versions.json").write_text("{\n" + ",\n".join(lines) + "\n}\n")
