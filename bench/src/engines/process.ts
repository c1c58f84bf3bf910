/** A process that lives as long as its engines and does one request at a time, a line of JSON each way; arrays travel as files. */
import type { Absent, Answer, Engine, Host, Prepared } from "../engine.ts";
import type { TypedArray } from "../values.ts";

/** What a request returned. */
export interface Reply {
  readonly [key: string]: unknown;
}

/** Requests are `{ op, … }`; a reply with `error` is thrown. */
export class Process {
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
    child.on("close", () => end("the process ended"));
    child.stdin.on("error", () => undefined);
    // The suite may end without it.
    child.unref();
    for (const pipe of [child.stdin, child.stdout, child.stderr]) (pipe as unknown as { unref?(): void }).unref?.();
  }

  static async start(command: string, args: readonly string[]): Promise<Process> {
    const [{ spawn }, { mkdtemp, ...fs }, { tmpdir }, { join }] = await Promise.all([
      import("node:child_process"),
      import("node:fs/promises"),
      import("node:os"),
      import("node:path"),
    ]);
    const folder = await mkdtemp(join(tmpdir(), "lowbit-bench-"));
    const threads = { OMP_NUM_THREADS: "1", OPENBLAS_NUM_THREADS: "1", MKL_NUM_THREADS: "1" };
    const child = spawn(command, args, { env: { ...process.env, ...threads } });
    return new Process(child, folder, join, { mkdtemp, ...fs } as typeof import("node:fs/promises"));
  }

  #answer(reply: Reply): void {
    const waiting = this.#waiting.shift();
    if (typeof reply.error === "string") waiting?.reject(new Error(reply.error));
    else waiting?.resolve(reply);
  }

  /** @throws Error with the process's own words */
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

  /** Reads a file that the process wrote. */
  async get(path: string): Promise<ArrayBuffer> {
    const bytes = await this.#fs.readFile(path);
    return bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength) as ArrayBuffer;
  }

  /** What the last run of a case left, from the file that `output` writes. */
  async output(id: number): Promise<ArrayBuffer> {
    const path = this.path();
    await this.ask("output", { id, path });
    return this.get(path);
  }

  /** A name that no file has yet. */
  path = (): string => this.#join(this.#folder, String(this.#files++));

  async end(): Promise<void> {
    this.#child.kill();
    await this.#fs.rm(this.#folder, { recursive: true, force: true });
  }
}

let next = 0;

/** A case made ready by `load`, run and timed there; `drop` forgets it. */
export async function preparedIn(
  process: Process,
  load: Reply,
  answer: (id: number) => Promise<Answer>,
): Promise<Prepared> {
  const id = next++;
  await process.ask("load", { id, ...load });
  const time = async (iterations: number) => (await process.ask("time", { id, iterations })).ms as number;
  return {
    run: async () => void (await time(1)),
    time,
    answer: () => answer(id),
    dispose: () => void process.ask("drop", { id }).catch(() => undefined),
  };
}

/** The engines of one process, which ends with the last of them; all of them absent where it does not tell its version, with what was `missing`. */
export async function enginesOf(
  host: Host,
  engines: readonly string[],
  start: () => Promise<Process>,
  missing: string,
  engineOf: (name: string, process: Process) => Omit<Engine, "name" | "version" | "dispose">,
): Promise<readonly (Engine | Absent)[]> {
  const absent = (reason: string) => engines.map((name) => ({ name, absent: reason }));
  if (host.isPage) return absent("a page starts no processes");
  const process = await start();
  try {
    const version = (await process.ask("version")).version as string;
    let open = engines.length;
    const dispose = () => void (--open === 0 && process.end());
    return engines.map((name) => ({ name, version, ...engineOf(name, process), dispose }));
  } catch (error) {
    await process.end();
    return absent(`${missing} (${(error as Error).message})`);
  }
}
