/** A Python process that lives as long as its engines and does one request at a time, a line of JSON each way; arrays travel as files. */
import type { TypedArray } from "../values.ts";

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

/** What a function returned. */
export interface Reply {
  readonly [key: string]: unknown;
}

export class Python {
  readonly #child: import("node:child_process").ChildProcessWithoutNullStreams;
  readonly #folder: string;
  readonly #join: (...parts: string[]) => string;
  readonly #fs: typeof import("node:fs/promises");
  readonly #waiting: { resolve(reply: Reply): void; reject(error: Error): void }[] = [];
  #ended: string | undefined;
  #files = 0;

  private constructor(
    child: import("node:child_process").ChildProcessWithoutNullStreams,
    folder: string,
    join: (...parts: string[]) => string,
    fs: typeof import("node:fs/promises"),
  ) {
    [this.#child, this.#folder, this.#join, this.#fs] = [child, folder, join, fs];
    let [buffered, complaint] = ["", ""];
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      const lines = (buffered + text).split("\n");
      buffered = lines.pop() as string;
      for (const line of lines) this.#answer(JSON.parse(line) as Reply);
    });
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      complaint = (complaint + text).slice(-2000);
    });
    const end = (reason: string) => {
      this.#ended ??= complaint.trim().split("\n").at(-1) || reason;
      for (const { reject } of this.#waiting.splice(0)) reject(new Error(this.#ended));
    };
    child.on("error", (error) => end(error.message));
    // Its last words arrive before its pipes close.
    child.on("close", () => end("Python ended"));
    child.stdin.on("error", () => undefined);
    // The suite may end without it.
    child.unref();
    for (const pipe of [child.stdin, child.stdout, child.stderr]) (pipe as unknown as { unref?(): void }).unref?.();
  }

  /** Starts `LOWBIT_PYTHON`, or `python3`, on a program. */
  static async start(program: string): Promise<Python> {
    const [{ spawn }, { mkdtemp, ...fs }, { tmpdir }, { join }] = await Promise.all([
      import("node:child_process"),
      import("node:fs/promises"),
      import("node:os"),
      import("node:path"),
    ]);
    const folder = await mkdtemp(join(tmpdir(), "lowbit-bench-"));
    const threads = { OMP_NUM_THREADS: "1", OPENBLAS_NUM_THREADS: "1", MKL_NUM_THREADS: "1" };
    const command = process.env.LOWBIT_PYTHON ?? "python3";
    const child = spawn(command, ["-u", "-c", frame.replace("{program}", () => program)], {
      env: { ...process.env, ...threads },
    });
    return new Python(child, folder, join, { mkdtemp, ...fs } as typeof import("node:fs/promises"));
  }

  #answer(reply: Reply): void {
    const waiting = this.#waiting.shift();
    if (typeof reply.error === "string") waiting?.reject(new Error(reply.error));
    else waiting?.resolve(reply);
  }

  /** @throws Error with Python's own words */
  ask(op: string, request: Reply = {}): Promise<Reply> {
    if (this.#ended !== undefined) return Promise.reject(new Error(this.#ended));
    return new Promise((resolve, reject) => {
      this.#waiting.push({ resolve, reject });
      // While somebody waits, the process must not end.
      this.#child.ref();
      this.#child.stdin.write(`${JSON.stringify({ op, ...request })}\n`);
    }).finally(() => this.#waiting.length === 0 && this.#child.unref()) as Promise<Reply>;
  }

  /** Writes an array to a file of the process's folder. */
  async put({ buffer, byteOffset, byteLength }: TypedArray): Promise<string> {
    const path = this.path();
    await this.#fs.writeFile(path, new Uint8Array(buffer, byteOffset, byteLength));
    return path;
  }

  /** Reads a file that Python wrote. */
  async get(path: string): Promise<ArrayBuffer> {
    const bytes = await this.#fs.readFile(path);
    return bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength) as ArrayBuffer;
  }

  /** A name that no file has yet. */
  path = (): string => this.#join(this.#folder, String(this.#files++));

  async end(): Promise<void> {
    this.#child.kill();
    await this.#fs.rm(this.#folder, { recursive: true, force: true });
  }
}
