/** onnxruntime as machine code, one thread, through Python where it is installed: not a peer of anything in a page, but a measure of what the machine can do. */
import type { EngineSource } from "../engine.ts";
import type { OnnxFormat } from "../models/layer-onnx.ts";
import { copiesOf, hasOnnx, onnxOf } from "../models/model.ts";
import type { TypedArray } from "../values.ts";
import { enginesOf, preparedIn } from "./process.ts";
import { startPython } from "./python.ts";

const formats: readonly OnnxFormat[] = ["fp32", "int8", "nbits4"];

/**
 * Without VNNI, onnxruntime's products of uint8 by int8 saturate at 16 bits in between; precision mode 1 takes the kernels that do not, and thereby the
 * answers of other runtimes.
 */
const program = `
import onnxruntime as ort
cases, DTYPES = {}, {"tensor(float)": np.float32, "tensor(uint8)": np.uint8, "tensor(int32)": np.int32}
def session(path):
    options = ort.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3
    options.add_session_config_entry("session.x64quantprecision", "1")
    return ort.InferenceSession(path, options, providers=["CPUExecutionProvider"])
def on_version(request): return {"version": ort.__version__}
def on_load(request):
    sessions = [session(request["model"]) for _ in range(request["copies"])]
    [x] = sessions[0].get_inputs()
    feed = {x.name: array(request["input"], DTYPES[x.type]).reshape(x.shape)}
    state = {"next": 0}
    def run():
        state["y"] = sessions[state["next"]].run(None, feed)[0]
        state["next"] = (state["next"] + 1) % len(sessions)
    cases[request["id"]] = (run, state)
    return {}
def on_time(request): return {"ms": timed(cases[request["id"]][0], request["iterations"])}
def on_output(request):
    save(request["path"], cases[request["id"]][1]["y"])
    return {}
def on_drop(request):
    del cases[request["id"]]
    return {}
`;

const formatOf = (name: string) => formats.find((format) => name.endsWith(format)) as OnnxFormat;

export const nativeOnnxruntime: EngineSource = {
  name: "native",
  kind: "peer",
  open: (host) =>
    enginesOf(
      host,
      formats.map((format) => `native:onnxruntime-${format}`),
      () => startPython(program),
      "not installed: pip install onnxruntime",
      (name, process) => ({
        supports: (of) => hasOnnx(of, formatOf(name)),
        async prepare(of, tensors) {
          const { bytes, input, output, answer } = onnxOf(of, tensors, formatOf(name));
          const copies = copiesOf(of, bytes.length);
          const load = { model: await process.put(bytes), input: await process.put(input), copies };
          return preparedIn(process, load, async (id) => answer(new output(await process.output(id)) as TypedArray));
        },
      }),
    ),
};
