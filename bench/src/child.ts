/** The program that the driver starts in Node, Deno and Bun: `child.js <server> <platform>`. */
import process from "node:process";
import { runtimeHost } from "./host/runtime.ts";
import type { Event, Job } from "./job.ts";
import { runSuite } from "./suite.ts";

const [server = "", platform = ""] = process.argv.slice(2);

async function send(event: Event): Promise<void> {
  const body = JSON.stringify(event);
  const response = await fetch(`${server}events/${platform}`, { method: "POST", body });
  // The driver has had enough.
  if (!response.ok) process.exit(130);
}

function versionOf(): string {
  const { deno, bun, node, v8, webkit } = process.versions;
  if (deno) return `Deno ${deno}, V8 ${v8}`;
  if (bun) return `Bun ${bun}, WebKit ${webkit?.slice(0, 12)}`;
  return `Node ${node}, V8 ${v8?.replace(/-node.*/, "")}`;
}

try {
  const job = (await (await fetch(`${server}job/${platform}`)).json()) as Job;
  await runSuite(runtimeHost(platform, job.threads), job, { version: versionOf(), send });
  process.exit(0);
} catch (error) {
  await send({ type: "error", message: error instanceof Error ? (error.stack ?? error.message) : String(error) });
  process.exit(1);
}
