// A Redis of one's own for as long as it is needed, behind a socket in a new folder: no port, nothing of a Redis that runs already is touched.
import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";

export async function startRedis() {
  const folder = mkdtempSync(join(tmpdir(), "redis-"));
  const path = join(folder, "socket");
  const settings = [
    "--port",
    "0",
    "--unixsocket",
    path,
    "--dir",
    folder,
    "--save",
    "",
    "--maxmemory-policy",
    "noeviction",
  ];
  const server = spawn("redis-server", settings, { stdio: ["ignore", "ignore", "inherit"] });
  let failure;
  server.on("error", (error) => (failure = error));
  server.on("exit", (code) => (failure ??= new Error(`redis-server ended with ${code}`)));
  while (!existsSync(path)) {
    if (failure) throw failure;
    await setTimeout(20);
  }
  const stop = () => {
    server.kill();
    rmSync(folder, { recursive: true, force: true });
  };
  return { connection: { path }, stop };
}
