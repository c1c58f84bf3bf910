// A Chromium for the browser tests: the machine's own, or Debian's package.
import { existsSync } from "node:fs";
import { ask, which } from "./run.mjs";
import { installSystemPackages } from "./system.mjs";

const names = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome"];
const elsewhere = [
  "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
  "/Applications/Chromium.app/Contents/MacOS/Chromium",
  "C:\\Program Files\\Google\\Chrome\\Application\\chrome.exe",
];
const advice = "Install Chromium or Chrome, or set LOWBIT_CHROMIUM to its path, then run this again.";

/** The browser's path; undefined where there is none. */
export const chromiumPath = () =>
  process.env.LOWBIT_CHROMIUM ?? which(names) ?? elsewhere.find((path) => existsSync(path));

/** A headless browser that calls nobody: closed networks refuse its background connections many at a time. */
export const chromiumFlags = [
  "--headless",
  ...(process.getuid?.() === 0 ? ["--no-sandbox"] : []),
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

export const chromiumStep = {
  name: "chromium",
  version: async () => (chromiumPath() ? ((await ask(chromiumPath(), ["--version"])) ?? chromiumPath()) : "none"),
  present: () => chromiumPath() !== undefined,
  async install() {
    if (!chromiumPath()) await installSystemPackages(["chromium"], advice);
    return this.version();
  },
  advice,
};
