/** Answers for the page's own files without a network. What is below `data/` is kept by the page's worker, which tells how far it is. */

/** What TypeScript's library for pages does not say of a service worker. */
interface Scope {
  /** Written in front of this file when a site is made. */
  readonly SHELL: { readonly version: string; readonly files: readonly string[] };
  readonly registration: { readonly scope: string };
  readonly clients: { claim(): Promise<void> };
  skipWaiting(): Promise<void>;
  addEventListener(type: "install" | "activate" | "fetch", listener: (event: WorkerEvent) => void): void;
}

interface WorkerEvent {
  readonly request: Request;
  waitUntil(promise: Promise<unknown>): void;
  respondWith(response: Promise<Response>): void;
}

const scope = self as unknown as Scope;
const { version, files } = scope.SHELL;
const PREFIX = "reverse-dictionary-shell-";
const shell = PREFIX + version;
const urls = new Set(files.map((file) => new URL(file, scope.registration.scope).href));

scope.addEventListener("install", (event) => {
  const keep = async () => {
    const cache = await caches.open(shell);
    // Past the browser's own cache, which may hold files of an older page.
    await cache.addAll([...urls].map((url) => new Request(url, { cache: "reload" })));
    await scope.skipWaiting();
  };
  event.waitUntil(keep());
});

scope.addEventListener("activate", (event) => {
  const take = async () => {
    for (const other of await caches.keys())
      if (other.startsWith(PREFIX) && other !== shell) await caches.delete(other);
    await scope.clients.claim();
  };
  event.waitUntil(take());
});

scope.addEventListener("fetch", (event) => {
  const url = new URL(event.request.url);
  url.hash = url.search = "";
  if (url.href === scope.registration.scope) url.pathname += "index.html";
  if (event.request.method !== "GET" || !urls.has(url.href)) return;
  event.respondWith(caches.match(url.href, { cacheName: shell }).then((kept) => kept ?? fetch(event.request)));
});
