/** WebKitGTK's MiniBrowser, or Safari, through its WebDriver: plain HTTP, so no library. Without a display, Xvfb makes one. */
import { type ChildProcess, spawn } from "node:child_process";
import { readdirSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import process from "node:process";
import { type Launcher, type Platform, which } from "./platform.ts";

/** Debian keeps it below /usr/lib/<machine>/webkit2gtk-<version>/. */
function miniBrowser(): string | undefined {
  if (process.env.LOWBIT_MINIBROWSER) return process.env.LOWBIT_MINIBROWSER;
  const folders = ["/usr/lib", "/usr/libexec", "/usr/lib64"].flatMap((folder) => {
    const inside = (below: string): string[] => {
      try {
        return readdirSync(below).map((name) => join(below, name));
      } catch {
        return [];
      }
    };
    const first = inside(folder);
    return [...first, ...first.filter((name) => /-linux-gnu/.test(name)).flatMap(inside)];
  });
  const candidates = folders
    .filter((name) => /webkit(2)?gtk-[\d.]+$/.test(name))
    .map((name) => join(name, "MiniBrowser"));
  return which(...candidates.sort().reverse());
}

/** A port that was free a moment ago. */
const freePort = (): Promise<number> =>
  new Promise((resolve, reject) => {
    const probe = createServer().once("error", reject);
    probe.listen(0, "127.0.0.1", () => {
      const { port } = probe.address() as { port: number };
      probe.close(() => resolve(port));
    });
  });

/** @throws Error with the driver's words */
async function command(base: string, method: "POST" | "DELETE", path: string, body?: object): Promise<unknown> {
  const response = await fetch(base + path, { method, ...(body && { body: JSON.stringify(body) }) });
  const { value } = (await response.json()) as {
    value: { error?: string; message?: string; sessionId?: string } | null;
  };
  if (value?.error) throw new Error(`WebDriver: ${value.error}: ${value.message ?? ""}`);
  return value;
}

async function until(ready: () => Promise<unknown>, seconds: number): Promise<void> {
  for (let tries = seconds * 10; ; tries--)
    try {
      await ready();
      return;
    } catch (error) {
      if (tries <= 0) throw error;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
}

/** An X server of our own: its number is what it prints. */
async function display(): Promise<{ env: NodeJS.ProcessEnv; server?: ChildProcess }> {
  if (process.platform !== "linux" || process.env.DISPLAY || process.env.WAYLAND_DISPLAY) return { env: process.env };
  const server = spawn("Xvfb", ["-displayfd", "3", "-screen", "0", "1280x900x24", "-nolisten", "tcp"], {
    stdio: ["ignore", "ignore", "ignore", "pipe"],
  });
  const number = await new Promise<string>((resolve, reject) => {
    server.stdio[3]?.once("data", (data: Buffer) => resolve(data.toString().trim()));
    server.once("close", () => reject(new Error("Xvfb ended")));
  });
  return { env: { ...process.env, DISPLAY: `:${number}` }, server };
}

function launcher(driver: string, capabilities: object): Launcher {
  return {
    async launch(server) {
      const { env, server: screen } = await display();
      const port = await freePort();
      const base = `http://127.0.0.1:${port}`;
      const process_ = spawn(driver, [`--port=${port}`], { env, stdio: "ignore" });
      const ended = new Promise<string>((resolve) => process_.once("close", () => resolve("the driver ended")));
      let session: string | undefined;
      const stop = async () => {
        if (session) await command(base, "DELETE", `/session/${session}`).catch(() => {});
        process_.kill();
        screen?.kill();
        await ended;
      };
      try {
        await until(() => fetch(`${base}/status`), 10);
        const created = await command(base, "POST", "/session", { capabilities: { alwaysMatch: capabilities } });
        session = (created as { sessionId: string }).sessionId;
        await command(base, "POST", `/session/${session}/url`, { url: `${server}?auto=webkit` });
      } catch (error) {
        await stop();
        throw error;
      }
      return { ended, stop };
    },
  };
}

export const webkit: Platform = {
  name: "webkit",
  find() {
    if (process.platform === "darwin") {
      const safari = which("/usr/bin/safaridriver");
      if (safari) return launcher(safari, { browserName: "safari" });
      return { absent: "no safaridriver" };
    }
    const driver = process.env.LOWBIT_WEBKIT_DRIVER ?? which("WebKitWebDriver");
    if (driver === undefined) return { absent: "no WebKitWebDriver (Debian: webkit2gtk-driver)" };
    const binary = miniBrowser();
    if (binary === undefined)
      return { absent: "no MiniBrowser beside WebKitWebDriver; LOWBIT_MINIBROWSER may name one" };
    if (!process.env.DISPLAY && !process.env.WAYLAND_DISPLAY && which("Xvfb") === undefined)
      return { absent: "no display, and no Xvfb to make one" };
    return launcher(driver, {
      browserName: "MiniBrowser",
      "webkitgtk:browserOptions": { binary, args: ["--automation"] },
    });
  },
};
