/**
 * The server of a run: hands out the page, the engines' packages and the jobs, and takes the events. Cross-origin isolated, so that
 * pages get a fine clock and, over https or on localhost, shared memory.
 */
import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { extname, resolve, sep } from "node:path";
import { fileURLToPath } from "node:url";
import * as v from "valibot";
import manifest from "../package.json" with { type: "json" };
import type { Event, Job } from "./job.ts";
import { packageFile, splitPath } from "./packages.ts";
import { EventSchema } from "./record.ts";

export interface Handlers {
  /** The job of a platform; undefined where there is none for it. `query` is what the page's address held. */
  job(platform: string, query: URLSearchParams): Job | undefined;
  /** @returns whether the platform shall go on */
  event(platform: string, event: Event): boolean | Promise<boolean>;
}

const headers = {
  "Cross-Origin-Opener-Policy": "same-origin",
  "Cross-Origin-Embedder-Policy": "require-corp",
  "Cross-Origin-Resource-Policy": "same-origin",
  "Cache-Control": "no-store",
  "X-Content-Type-Options": "nosniff",
};

const types: Readonly<Record<string, string>> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript",
  ".mjs": "text/javascript",
  ".css": "text/css",
  ".json": "application/json",
  ".wasm": "application/wasm",
};

/** An event holds one case's outcomes: a few kilobytes. */
const LARGEST_BODY = 2 ** 20;

/** What `/package/` gives out: the packages that engines are made of, and nothing else of the machine. */
const allowed = new Set(
  [manifest.dependencies, (manifest as { peerDependencies?: object }).peerDependencies].flatMap((list) =>
    Object.keys(list ?? {}),
  ),
);

/** Built beside this module's bundle. */
const pageFolder = () => fileURLToPath(new URL("./page/", import.meta.url));

function fileOf(path: string): string {
  if (path === "/") return resolve(pageFolder(), "index.html");
  if (path.startsWith("/package/")) {
    const within = path.slice("/package/".length);
    const [name] = splitPath(within);
    if (!allowed.has(name)) throw new Error(`no package of the bench: ${name}`);
    return packageFile(within);
  }
  const folder = pageFolder();
  const file = resolve(folder, `.${path}`);
  if (!file.startsWith(folder.endsWith(sep) ? folder : folder + sep)) throw new Error("not a file of the page");
  return file;
}

async function body(request: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of request) {
    length += (chunk as Buffer).length;
    if (length > LARGEST_BODY) throw new Error(`more than ${LARGEST_BODY} bytes`);
    chunks.push(chunk as Buffer);
  }
  return JSON.parse(Buffer.concat(chunks).toString());
}

/** A case may take longer than an idle connection lives, and the next event would find it closing: each has its own. */
function send(response: ServerResponse, status: number, value: object): void {
  const own = { ...headers, "Content-Type": "application/json", Connection: "close" };
  response.writeHead(status, own).end(JSON.stringify(value));
}

async function serveFile(path: string, isHead: boolean, response: ServerResponse): Promise<void> {
  let file: string;
  try {
    file = fileOf(path);
    const { size } = await stat(file);
    const type = types[extname(file)] ?? "application/octet-stream";
    response.writeHead(200, { ...headers, "Content-Type": type, "Content-Length": size });
  } catch (error) {
    // The page's host makes this its own error; a header because HEAD has no body.
    const { code, message } = error as NodeJS.ErrnoException;
    const reason = code === "ENOENT" ? `no file ${path}` : message.replace(/[^\x20-\x7e]/g, " ");
    response.writeHead(404, { ...headers, "x-reason": reason }).end();
    return;
  }
  if (isHead) response.end();
  else createReadStream(file).pipe(response);
}

async function answer(handlers: Handlers, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { pathname, searchParams } = new URL(request.url ?? "/", "http://bench");
  const path = decodeURIComponent(pathname);
  const [, kind, platform = ""] = path.split("/");
  if (kind === "job" && request.method === "GET") {
    const job = handlers.job(platform, searchParams);
    if (job) send(response, 200, job);
    else send(response, 404, { error: `no job for ${platform}` });
    return;
  }
  if (kind === "events" && request.method === "POST") {
    const parsed = v.safeParse(EventSchema, await body(request));
    if (!parsed.success) return send(response, 400, { error: parsed.issues[0].message });
    const goOn = await handlers.event(platform, parsed.output as Event);
    return send(response, goOn ? 200 : 410, {});
  }
  if (request.method === "GET" || request.method === "HEAD")
    return serveFile(path, request.method === "HEAD", response);
  send(response, 405, { error: `${request.method} ${path}` });
}

export interface Serving {
  readonly port: number;
  close(): Promise<void>;
}

/** @param host `127.0.0.1` for this machine alone, `0.0.0.0` for its network @param port 0 for a free one */
export async function serve(handlers: Handlers, host = "127.0.0.1", port = 0): Promise<Serving> {
  const server: Server = createServer((request, response) => {
    answer(handlers, request, response).catch((error: Error) => {
      if (!response.headersSent) send(response, 400, { error: error.message });
      else response.destroy();
    });
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, host, resolve);
  });
  return {
    port: (server.address() as { port: number }).port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
