/** Chromium or Chrome through playwright-core. */
import process from "node:process";
import type { Platform } from "./platform.ts";
import { which } from "./platform.ts";

const elsewhere = [
  "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
  "/Applications/Chromium.app/Contents/MacOS/Chromium",
  "C:\\Program Files\\Google\\Chrome\\Application\\chrome.exe",
];

/** It calls nobody: closed networks refuse background connections many at a time. */
const flags = [
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  // A page in the background would be throttled.
  "--disable-background-timer-throttling",
  "--disable-renderer-backgrounding",
];

/** A missing optional package, in words. */
export async function optional<T>(name: string, load: () => Promise<T>): Promise<T | { absent: string }> {
  try {
    return await load();
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ERR_MODULE_NOT_FOUND" || code === "MODULE_NOT_FOUND")
      return { absent: `not installed: npm install ${name}` };
    throw error;
  }
}

export const chromium: Platform = {
  name: "chromium",
  async find() {
    const executablePath =
      process.env.LOWBIT_CHROMIUM ??
      which("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome", ...elsewhere);
    if (executablePath === undefined) return { absent: "no Chromium or Chrome; LOWBIT_CHROMIUM may name one" };
    const playwright = await optional("playwright-core", () => import("playwright-core"));
    if ("absent" in playwright) return playwright;
    return {
      async launch(server) {
        const sandbox = process.getuid?.() !== 0;
        const browser = await playwright.chromium.launch({ executablePath, args: flags, chromiumSandbox: sandbox });
        const page = await browser.newPage();
        const ended = new Promise<string>((resolve) => {
          page.on("crash", () => resolve("the page crashed"));
          browser.on("disconnected", () => resolve("the browser ended"));
        });
        await page.goto(`${server}?auto=chromium`);
        return { ended, stop: () => browser.close() };
      },
    };
  },
};
