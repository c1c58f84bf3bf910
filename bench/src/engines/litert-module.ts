/**
 * LiteRT.js through the raw module of its package: its public interface loads one build and only in a page, the raw one also
 * takes int8 inputs, stands beside other builds, and has emscripten's branch for Node.
 */
import type { Host } from "../engine.ts";
import type { OutputArray } from "../models/layer.ts";
import type { TypedArray } from "../values.ts";

interface Deletable {
  delete(): void;
}

interface TensorType extends Deletable {
  bytes(): number;
}

interface TensorBuffer extends Deletable {
  lock(mode: unknown): number;
  unlock(): void;
}

interface RawModel extends Deletable {
  getInputTensorType(signature: number, input: number): TensorType;
  getOutputTensorType(signature: number, output: number): TensorType;
}

interface RawCompiled extends Deletable {
  run(signature: number, inputs: readonly TensorBuffer[]): TensorBuffer[] | Promise<TensorBuffer[]>;
}

/** What of the emscripten module is used here. */
interface RawModule {
  readonly HEAPU8: Uint8Array;
  readonly LiteRtEnvironment: { create(options: null): unknown };
  readonly LiteRtTensorBuffer: {
    createManaged(environment: unknown, type: unknown, tensor: TensorType, bytes: number): TensorBuffer;
  };
  readonly LiteRtTensorBufferType: { readonly HOST_MEMORY: unknown };
  readonly LiteRtTensorBufferLockMode: { readonly READ: unknown; readonly WRITE: unknown };
  setupLogging(): void;
  _malloc(bytes: number): number;
  _free(pointer: number): void;
  loadModel(environment: unknown, pointer: number, bytes: number): RawModel;
  compileModel(environment: unknown, model: RawModel, options: object): RawCompiled | Promise<RawCompiled>;
}

/** Builds in the package: relaxed SIMD; SIMD alone. */
export type LiteRtBuild = "relaxed" | "compat";

const files: Readonly<Record<LiteRtBuild, string>> = {
  relaxed: "litert_wasm_internal",
  compat: "litert_wasm_compat_internal",
};

type Factory = (options: object) => Promise<RawModule>;

/** The file is a classic script that declares `ModuleFactory`; in Node, Deno and Bun it wants CommonJS around it. */
async function factoryOf(host: Host, script: URL): Promise<Factory> {
  if (host.isPage) {
    const element = document.createElement("script");
    element.src = script.href;
    await new Promise((resolve, reject) => {
      element.onload = resolve;
      element.onerror = () => reject(new Error(`${script.href} did not load`));
      document.head.append(element);
    });
    return (globalThis as unknown as { ModuleFactory: Factory }).ModuleFactory;
  }
  const [{ createRequire }, { fileURLToPath }] = await Promise.all([import("node:module"), import("node:url")]);
  // `createRequire` loads the file as CommonJS only where its package does not say otherwise, which it does.
  const source = new TextDecoder().decode(await host.read(pathIn(script)));
  const path = fileURLToPath(script);
  const evaluate = new Function("require", "__filename", "__dirname", `${source}\nreturn ModuleFactory;`);
  return evaluate(createRequire(script), path, path.slice(0, path.lastIndexOf("/"))) as Factory;
}

const folder = "@litertjs/core/wasm/";
const pathIn = (script: URL): string => folder + script.pathname.slice(script.pathname.lastIndexOf("/") + 1);

/** One loaded build. */
export class LiteRt {
  readonly #module: RawModule;
  readonly #environment: unknown;

  private constructor(module: RawModule) {
    this.#module = module;
    this.#environment = module.LiteRtEnvironment.create(null);
  }

  static async load(host: Host, build: LiteRtBuild): Promise<LiteRt> {
    const script = await host.file(`${folder}${files[build]}.js`);
    const wasmBinary = await host.read(`${folder}${files[build]}.wasm`);
    const quiet = () => undefined;
    const module = await (await factoryOf(host, script))({ wasmBinary, print: quiet, printErr: quiet });
    module.setupLogging();
    return new LiteRt(module);
  }

  /** Copies the model into the module and compiles it for one thread. */
  async compile(bytes: Uint8Array, input: TypedArray): Promise<LiteRtModel> {
    const module = this.#module;
    const pointer = module._malloc(bytes.length);
    if (pointer === 0) throw new Error(`LiteRT has no memory for a model of ${bytes.length} bytes`);
    module.HEAPU8.set(bytes, pointer);
    const model = module.loadModel(this.#environment, pointer, bytes.length);
    const compiled = await module.compileModel(this.#environment, model, {
      environment: { liteRtEnvironment: this.#environment },
      accelerator: "wasm",
      cpuOptions: { numThreads: 1 },
      gpuOptions: {},
      webNNOptions: {},
    });
    const type = model.getInputTensorType(0, 0);
    const size = type.bytes();
    if (size !== input.byteLength) throw new Error(`LiteRT: input of ${size} bytes, got ${input.byteLength}`);
    const x = module.LiteRtTensorBuffer.createManaged(
      this.#environment,
      module.LiteRtTensorBufferType.HOST_MEMORY,
      type,
      size,
    );
    const place = x.lock(module.LiteRtTensorBufferLockMode.WRITE);
    module.HEAPU8.set(new Uint8Array(input.buffer, input.byteOffset, input.byteLength), place);
    x.unlock();
    type.delete();
    return new LiteRtModel(module, pointer, model, compiled, x);
  }
}

/** A compiled model of one input and one output, the input in place. */
export class LiteRtModel {
  #output: TensorBuffer | undefined;

  constructor(
    readonly module: RawModule,
    readonly pointer: number,
    readonly model: RawModel,
    readonly compiled: RawCompiled,
    readonly input: TensorBuffer,
  ) {}

  run(): void | Promise<void> {
    const outputs = this.compiled.run(0, [this.input]);
    if (outputs instanceof Promise) return outputs.then((all) => this.#keep(all));
    this.#keep(outputs);
  }

  /** The runtime makes new outputs in every run. */
  #keep([output]: readonly TensorBuffer[]): void {
    this.#output?.delete();
    this.#output = output;
  }

  /** The last output, as the given kind of array. */
  output(kind: OutputArray): TypedArray {
    if (!this.#output) throw new Error("LiteRT: no run yet");
    const type = this.model.getOutputTensorType(0, 0);
    const pointer = this.#output.lock(this.module.LiteRtTensorBufferLockMode.READ);
    const copy = this.module.HEAPU8.slice(pointer, pointer + type.bytes());
    this.#output.unlock();
    type.delete();
    return new kind(copy.buffer as ArrayBuffer);
  }

  dispose(): void {
    this.#output?.delete();
    this.input.delete();
    this.compiled.delete();
    this.model.delete();
    this.module._free(this.pointer);
  }
}
