/** A web page: packages are folders of the server that sent it, below `/package/`. */
import type { Host } from "../engine.ts";

/** @param base of the server, ending in "/" */
export function pageHost(platform: string, threads: readonly number[], base: string): Host {
  const address = (path: string) => new URL(`package/${path}`, base);
  const fetched = async (path: string, method: "GET" | "HEAD"): Promise<Response> => {
    const response = await fetch(address(path), { method });
    // The server's 404 carries the reason.
    if (!response.ok) throw new Error(response.headers.get("x-reason") ?? `${path}: HTTP ${response.status}`);
    return response;
  };
  return {
    platform,
    isPage: true,
    threads,
    async file(path) {
      await fetched(path, "HEAD");
      return address(path);
    },
    read: async (path) => new Uint8Array(await (await fetched(path, "GET")).arrayBuffer()),
  };
}
