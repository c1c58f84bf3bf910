/** The round trip of `--serve`, with Node in the place of the phone. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { pageHost } from "../src/host/page.ts";
import type { Job } from "../src/job.ts";
import { type BenchRecord, formatRecord, parseRecord } from "../src/record.ts";
import { serveSuite } from "../src/serve.ts";
import type { Serving } from "../src/server.ts";
import { runSuite } from "../src/suite.ts";

const records: BenchRecord[] = [];
let serving: Serving;
let base: string;
beforeAll(async () => {
  serving = await serveSuite({
    ...{ host: "127.0.0.1", port: 0, filter: "xnor_gemm/16x1024x1024", peers: "none", threads: [] },
    ...{ command: "lowbit bench --serve", versions: { lowbit: "1" } },
    onRecord: (record) => void records.push(structuredClone(record)),
  });
  base = `http://127.0.0.1:${serving.port}/`;
});
afterAll(() => serving.close());

describe("serveSuite", () => {
  test("the page is cross-origin isolated, and never kept", async () => {
    const response = await fetch(base);
    expect(response.headers.get("content-type")).toMatch("text/html");
    expect(response.headers.get("cross-origin-opener-policy")).toBe("same-origin");
    expect(response.headers.get("cross-origin-embedder-policy")).toBe("require-corp");
    expect(response.headers.get("cache-control")).toBe("no-store");
    expect(await response.text()).toContain("<title>lowbit bench</title>");
  });

  test("packages of engines are handed out, and nothing else of the machine", async () => {
    const wasm = await fetch(`${base}package/lowbit/wasm/lowbit.scalar.wasm`);
    expect([wasm.status, wasm.headers.get("content-type")]).toEqual([200, "application/wasm"]);
    expect((await wasm.arrayBuffer()).byteLength).toBeGreaterThan(1000);
    for (const path of [
      "package/vitest/package.json",
      "package/lowbit/../../package.json",
      "package/lowbit/%2e%2e/%2e%2e/package.json",
      "..%2f..%2fpackage.json",
      "%2e%2e/run.ts",
      "no-such-file.js",
    ])
      expect((await fetch(base + path)).status, path).toBe(404);
  });

  test("a package that is not there is told in the words of the host", async () => {
    const missing = pageHost("page", [], base).read("lowbit/wasm/no-such.wasm");
    await expect(missing).rejects.toThrow("no file /package/lowbit/wasm/no-such.wasm");
  });

  test("a device runs its job, and its record comes back", async () => {
    const job = (await (await fetch(`${base}job/page-1?suite=full&machine=My%20Phone`)).json()) as Job;
    expect(job).toMatchObject({ platform: "page", cases: ["xnor_gemm/16x1024x1024"], peers: "none" });
    const answers: number[] = [];
    await runSuite(pageHost("page", [], base), job, {
      version: "Test/1.0",
      async send(event) {
        answers.push((await fetch(`${base}events/page-1`, { method: "POST", body: JSON.stringify(event) })).status);
      },
    });
    expect(answers).toEqual([200, 200, 200, 200]);
    const record = records.at(-1) as BenchRecord;
    expect(parseRecord(JSON.parse(formatRecord(record)))).toEqual(record);
    expect(record.machine).toMatchObject({ name: "my-phone", os: "Test/1.0" });
    expect(record.results.map(({ engine }) => engine)).toEqual(expect.arrayContaining(["lowbit:scalar", "naive"]));
    for (const result of record.results) expect(result).toMatchObject({ platform: "page", case: job.cases[0] });
  });

  test("a filter that names no quick case means its own", async () => {
    const job = (await (await fetch(`${base}job/page-20?machine=x`)).json()) as Job;
    expect(job.cases).toEqual(["xnor_gemm/16x1024x1024"]);
  });

  test("a filter without a case is refused at once", async () => {
    const nothing = serveSuite({ filter: "nothing-like-it", command: "", versions: {}, onRecord() {} });
    await expect(nothing).rejects.toThrow("no case matches nothing-like-it");
  });

  test("figures that are none are refused, and so is who has no job", async () => {
    const post = async (session: string, body: string) =>
      (await fetch(`${base}events/${session}`, { method: "POST", body })).status;
    await fetch(`${base}job/page-2?machine=x`);
    const before = records.length;
    expect(await post("page-2", "{")).toBe(400);
    expect(
      await post(
        "page-2",
        JSON.stringify({
          type: "outcomes",
          case: "x",
          outcomes: [{ kind: "timed", case: "x", engine: "y", medianMs: -1 }],
        }),
      ),
    ).toBe(400);
    expect(await post("page-2", " ".repeat(2 ** 20 + 1))).toBe(400);
    expect(await post("page-3", JSON.stringify({ type: "end" }))).toBe(410);
    expect((await fetch(`${base}job/..%2fx?machine=x`)).status).toBe(404);
    expect(records.length).toBe(before);
  });

  test("a session is given out once", async () => {
    expect((await fetch(`${base}job/page-7?machine=x`)).status).toBe(200);
    expect((await fetch(`${base}job/page-7?machine=x`)).status).toBe(404);
  });
});
