import { createHash } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { IntegrityError, LoadError, readSource } from "lowbit";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";

const bytes = Uint8Array.from({ length: 4000 }, (_, i) => (i * 31) & 255);
const sri = (algorithm: string) => `${algorithm}-${createHash(algorithm).update(bytes).digest("base64")}`;

let folder: string;
let path: string;
let server: Server;
let url: string;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "lowbit-"));
  path = join(folder, "file.bin");
  writeFileSync(path, bytes);
  server = createServer((request, response) => {
    if (request.url !== "/file.bin") return void response.writeHead(404).end();
    response.writeHead(200, { "content-length": bytes.length });
    response.write(bytes.subarray(0, 2000));
    response.end(bytes.subarray(2000));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/file.bin`;
});

afterAll(() => {
  server.close();
  rmSync(folder, { recursive: true });
});

describe("readSource", () => {
  it.each([
    ["bytes", () => bytes],
    ["an ArrayBuffer", () => bytes.slice().buffer],
    ["a DataView inside a buffer", () => new DataView(Uint8Array.of(9, ...bytes).buffer, 1)],
    ["a Blob", () => new Blob([bytes])],
    ["a Response", () => new Response(bytes)],
    ["a path", () => path],
    ["a file URL", () => pathToFileURL(path)],
    ["a file URL's text", () => pathToFileURL(path).href],
    ["a URL", () => new URL(url)],
    ["a URL's text", () => url],
    ["a data URL", () => `data:;base64,${Buffer.from(bytes).toString("base64")}`],
  ])("reads %s", async (_, source) => expect(await readSource(source())).toEqual(bytes));

  it("reports progress, which ends at the length", async () => {
    const seen: [number, number | undefined][] = [];
    await readSource(url, { onProgress: (loaded, total) => seen.push([loaded, total]) });
    expect(seen.at(-1)).toEqual([bytes.length, bytes.length]);
    expect(seen.map(([loaded]) => loaded)).toEqual(seen.map(([loaded]) => loaded).toSorted((a, b) => a - b));
  });

  it.each(["sha256", "sha384", "sha512"])("accepts the right %s", async (algorithm) => {
    expect(await readSource(bytes, { integrity: sri(algorithm) })).toEqual(bytes);
    expect(await readSource(bytes, { integrity: `sha256-AAAA ${sri(algorithm)}` })).toEqual(bytes);
  });

  it("names both digests where they differ", async () => {
    const wrong = sri("sha256")
      .replace(/^sha256-./, "sha256-!")
      .replace("!", "_");
    await expect(readSource(bytes, { integrity: wrong })).rejects.toThrow(IntegrityError);
    await expect(readSource(bytes, { integrity: wrong })).rejects.toThrow(sri("sha256"));
    await expect(readSource(bytes, { integrity: "md5-abc" })).rejects.toThrow(IntegrityError);
  });

  it("keeps a download in the cache it is given, and fetches again what does not have the digest", async () => {
    const stored = new Map<string, Response>();
    const cache = {
      match: async (key: string) => stored.get(key)?.clone(),
      put: async (key: string, response: Response) => void stored.set(key, response),
    };
    vi.stubGlobal("caches", { open: async () => cache });
    const fetched = vi.spyOn(globalThis, "fetch");
    try {
      await readSource(url, { cache: "models" });
      expect(await readSource(url, { cache: "models" })).toEqual(bytes);
      expect(fetched).toHaveBeenCalledTimes(1);
      stored.set(url, new Response("something old"));
      expect(await readSource(url, { cache: "models", integrity: sri("sha256") })).toEqual(bytes);
      expect(fetched).toHaveBeenCalledTimes(2);
      expect(new Uint8Array((await stored.get(url)?.clone().arrayBuffer()) ?? [])).toEqual(bytes);
      stored.clear();
      const wrong = `sha256-${"A".repeat(43)}=`;
      await expect(readSource(url, { cache: "models", integrity: wrong })).rejects.toThrow(IntegrityError);
      expect(stored.size).toBe(0);
    } finally {
      vi.unstubAllGlobals();
      fetched.mockRestore();
    }
  });

  it("names a missing file, a missing page and an unreachable server", async () => {
    await expect(readSource(join(folder, "none"))).rejects.toThrow(/none, expected a readable file, got ENOENT$/);
    await expect(readSource(url.replace("file", "none"))).rejects.toThrow(/expected HTTP status 200, got 404$/);
    await expect(readSource("http://127.0.0.1:1/")).rejects.toThrow(LoadError);
    await expect(readSource(7 as unknown as string)).rejects.toThrow(LoadError);
  });

  it("throws the signal's reason, before and while reading", async () => {
    const reason = new Error("changed my mind");
    await expect(readSource(bytes, { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
    const controller = new AbortController();
    const reading = readSource(url, { signal: controller.signal, onProgress: () => controller.abort(reason) });
    await expect(reading).rejects.toBe(reason);
  });
});
