/** Engines written in Python. */
import { Process } from "./process.ts";

/**
 * Requests: `{ op, … }` to one of the functions `on_<op>(request)` of the engine's own program, which return what JSON holds; `array(path, dtype)` reads
 * and `save(path, array)` writes an array. What a function throws comes back as `error`.
 */
const frame = `
import json, sys, time, numpy as np
def array(path, dtype): return np.fromfile(path, dtype=dtype)
def save(path, a): np.ascontiguousarray(a).tofile(path)
def timed(run, iterations):
    start = time.perf_counter()
    for _ in range(iterations): run()
    return (time.perf_counter() - start) * 1000
{program}
for line in sys.stdin:
    request = json.loads(line)
    try: reply = globals()["on_" + request["op"]](request)
    except Exception as error: reply = {"error": f"{type(error).__name__}: {error}"[:500]}
    print(json.dumps(reply), flush=True)
`;

/** Starts `LOWBIT_PYTHON`, or `python3`, on a program. */
export const startPython = (program: string): Promise<Process> =>
  Process.start(process.env.LOWBIT_PYTHON ?? "python3", ["-u", "-c", frame.replace("{program}", () => program)]);
