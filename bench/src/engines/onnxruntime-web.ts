/** onnxruntime-web, which most pages use: its WASM backend on one thread, and on more where they are asked for. */
import type { Engine, EngineSource, Host, Prepared } from "../engine.ts";
import type { OnnxFormat } from "../models/layer-onnx.ts";
import { copiesOf, hasOnnx, type Model, onnxOf } from "../models/model.ts";
import type { TypedArray } from "../values.ts";

const PACKAGE = "onnxruntime-web";
const formats: readonly OnnxFormat[] = ["fp32", "int8", "nbits4"];

interface Value {
  readonly data: TypedArray;
}
interface Session {
  readonly inputMetadata: readonly {
    readonly name: string;
    readonly type: string;
    readonly shape: readonly number[];
  }[];
  readonly outputNames: readonly string[];
  run(feed: Readonly<Record<string, Value>>): Promise<Readonly<Record<string, Value>>>;
  release(): Promise<void>;
}
/** What of the package is used here. */
interface OnnxRuntime {
  readonly env: {
    logLevel: string;
    readonly wasm: { numThreads: number; wasmPaths?: string };
    readonly versions: { readonly web?: string };
  };
  readonly InferenceSession: { create(model: Uint8Array, options: object): Promise<Session> };
  readonly Tensor: new (type: string, data: TypedArray, shape: readonly number[]) => Value;
}

/** The number of threads is fixed when the first session is made, so a process has one. */
async function load(host: Host, threads: number): Promise<OnnxRuntime> {
  // In Node the package defines a global `Worker`, which others would take for a web worker's.
  const worker = Object.getOwnPropertyDescriptor(globalThis, "Worker");
  const entry = host.isPage ? "dist/ort.wasm.min.mjs" : "dist/ort.node.min.mjs";
  const module = (await import(/* @vite-ignore */ (await host.file(`${PACKAGE}/${entry}`)).href)) as OnnxRuntime;
  if (worker) Object.defineProperty(globalThis, "Worker", worker);
  else if (!host.isPage) Reflect.deleteProperty(globalThis, "Worker");
  module.env.logLevel = "error";
  module.env.wasm.numThreads = threads;
  return module;
}

async function prepare(ort: OnnxRuntime, model: Model, copies: number): Promise<Prepared> {
  const sessions: Session[] = [];
  for (let i = 0; i < copies; i++)
    sessions.push(
      await ort.InferenceSession.create(model.bytes, {
        executionProviders: ["wasm"],
        graphOptimizationLevel: "all",
        interOpNumThreads: 1,
      }),
    );
  const [{ name, type, shape }] = sessions[0]!.inputMetadata as [Session["inputMetadata"][0]];
  const feed = { [name]: new ort.Tensor(type, model.input, shape) };
  let next = 0;
  let output: Value | undefined;
  return {
    async run() {
      const session = sessions[next]!;
      next = next + 1 === sessions.length ? 0 : next + 1;
      output = (await session.run(feed))[session.outputNames[0]!];
    },
    answer: () => model.answer(output!.data),
    dispose() {
      for (const session of sessions) void session.release();
    },
  };
}

export const onnxruntimeWeb: EngineSource = {
  name: "onnxruntime-web",
  kind: "peer",
  async open(host) {
    const ort = await load(host, 1);
    const { version } = JSON.parse(new TextDecoder().decode(await host.read(`${PACKAGE}/package.json`)));
    return formats.map(
      (format): Engine => ({
        name: `onnxruntime-web:${format}`,
        version,
        supports: (of) => hasOnnx(of, format),
        async prepare(of, tensors) {
          const model = onnxOf(of, tensors, format);
          return prepare(ort, model, copiesOf(of, model.bytes.length));
        },
      }),
    );
  },
};
