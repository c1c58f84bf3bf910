"""Opens a packed file with Python's own safetensors reader and checks every digest: the file is nobody's private format.

    pip install safetensors numpy
    python scripts/open_packed.py models/mnist-cnn-binary.safetensors
"""

import hashlib
import json
import sys

from safetensors import safe_open
from safetensors.numpy import load_file


def main(path: str) -> int:
    with safe_open(path, "numpy") as file:
        metadata = file.metadata()
    text = metadata["lowbit"]
    if hashlib.sha256(text.encode()).hexdigest() != metadata["lowbit_digest"]:
        print("lowbit: the metadata is not what was written")
        return 1
    described = json.loads(text)
    expected = {entry["name"]: entry["sha256"] for entry in described["tensors"]}
    tensors = load_file(path)
    if expected.keys() != tensors.keys():
        print(f"listed {sorted(expected)}, in the file {sorted(tensors)}")
        return 1
    wrong = 0
    for name, tensor in tensors.items():
        same = hashlib.sha256(tensor.tobytes()).hexdigest() == expected[name]
        wrong += not same
        print(f"{name:40} {str(tensor.dtype):8} {str(list(tensor.shape)):20} {'ok' if same else 'WRONG'}")
    nodes = described["graph"]["nodes"]
    print(f"format {described['version']}, {len(nodes)} nodes, {len(tensors)} tensors, {wrong} wrong")
    return 1 if wrong else 0


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: open_packed.py FILE.safetensors")
    sys.exit(main(sys.argv[1]))
