/** onnxruntime as machine code, one thread, through Python where it is installed: not a peer of anything in a page, but a measure of what the machine can do. */
import type { Engine, EngineSource } from "../engine.ts";
import type { OnnxFormat } from "../models/layer-onnx.ts";
import { copiesOf, hasOnnx, onnxOf } from "../models/model.ts";
import type { TypedArray } from "../values.ts";
import { Python } from "./python.ts";

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

let next = 0;

function engineOf(python: Python, version: string, format: OnnxFormat): Engine {
  return {
    name: `native:onnxruntime-${format}`,
    version,
    supports: (of) => hasOnnx(of, format),
    async prepare(of, tensors) {
      const { bytes, input, output, answer } = onnxOf(of, tensors, format);
      const id = next++;
      const copies = copiesOf(of, bytes.length);
      await python.ask("load", { id, model: await python.put(bytes), input: await python.put(input), copies });
      const time = async (iterations: number) => (await python.ask("time", { id, iterations })).ms as number;
      return {
        run: async () => void (await time(1)),
        time,
        async answer() {
          const path = python.path();
          await python.ask("output", { id, path });
          return answer(new output(await python.get(path)) as TypedArray);
        },
        dispose: () => void python.ask("drop", { id }).catch(() => undefined),
      };
    },
  };
}

export const nativeOnnxruntime: EngineSource = {
  name: "native",
  kind: "peer",
  async open(host) {
    const absent = (reason: string) =>
      formats.map((format) => ({ name: `native:onnxruntime-${format}`, absent: reason }));
    if (host.isPage) return absent("a page starts no processes");
    const python = await Python.start(program);
    try {
      const { version } = await python.ask("version");
      let open = formats.length;
      return formats.map((format) => ({
        ...engineOf(python, version as string, format),
        dispose: () => void (--open === 0 && python.end()),
      }));
    } catch (error) {
      await python.end();
      return absent(`not installed: pip install onnxruntime (${(error as Error).message})`);
    }
  },
};
