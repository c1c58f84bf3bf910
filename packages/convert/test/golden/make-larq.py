"""What Larq Compute Engine's own interpreter answers (its reference kernels), for tests that need no Python.

python make-larq.py cases.json    (pip install --no-deps larq-compute-engine==0.16.0 numpy; cases.json is of write-tflite-cases.ts larq)
"""

import base64
import importlib.util
import json
import pathlib
import sys

import numpy as np

# The package imports TensorFlow; the interpreter alone does not need it.
package = pathlib.Path(next(p for p in sys.path if (pathlib.Path(p) / "larq_compute_engine").is_dir()))
library = package / "larq_compute_engine/tflite/python/interpreter_wrapper_lite.so"
spec = importlib.util.spec_from_file_location("interpreter_wrapper_lite", library)
wrapper = importlib.util.module_from_spec(spec)
spec.loader.exec_module(wrapper)

TYPES = {"f32": np.float32, "int8": np.int8}
answers = {}
for case in json.loads(pathlib.Path(sys.argv[1]).read_text()):
    (x,) = [np.frombuffer(base64.b64decode(i["data"]), TYPES[i["dtype"]]).reshape(i["shape"]) for i in case["inputs"]]
    interpreter = wrapper.LiteInterpreter(base64.b64decode(case["file"]), 1, True, False, False)
    (y,) = interpreter.predict([x])
    answers[case["name"]] = {"shape": list(y.shape), "y": base64.b64encode(np.ascontiguousarray(y).tobytes()).decode()}
(pathlib.Path(__file__).parent / "larq.json").write_text(json.dumps(answers, indent=0) + "\n")
