// A folder served on localhost and opened in Chromium, Firefox or WebKit.
import { createReadStream, statSync } from "node:fs";
import { createServer } from "node:http";
import { createRequire } from "node:module";
import { extname, join, normalize } from "node:path";
import { text } from "node:stream/consumers";
import { setTimeout } from "node:timers/promises";
import { pathToFileURL } from "node:url";
import { chromium } from "playwright-core";
import { chromiumFlags, chromiumPath } from "../../scripts/setup/chromium.mjs";
import { root } from "../../scripts/setup/paths.mjs";
import { which } from "../../scripts/setup/run.mjs";

const types = {
  ".html": "text/html",
  ".js": "text/javascript",
  ".wasm": "application/wasm",
  ".map": "application/json",
};

/** Serves `folder` with `headers` on every response; resolves with `{ url, asked, posted, close }`: the paths asked for, and the body of the first POST to come. */
export async function serve(folder, headers = {}) {
  const asked = [];
  let post;
  const posted = new Promise((resolve) => {
    post = resolve;
  });
  const server = createServer((request, response) => {
    asked.push(request.url);
    if (request.method === "POST") {
      text(request).then(post);
      return response.writeHead(204).end();
    }
    const path = normalize(decodeURIComponent(new URL(request.url, "http://localhost").pathname));
    const file = join(folder, path.endsWith("/") ? `${path}index.html` : path);
    if (!file.startsWith(folder) || !statSync(file, { throwIfNoEntry: false })?.isFile())
      return response.writeHead(404).end();
    response.writeHead(200, { "content-type": types[extname(file)] ?? "application/octet-stream", ...headers });
    createReadStream(file).pipe(response);
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  return { url: `http://localhost:${server.address().port}/`, asked, posted, close: () => server.close() };
}

export const launch = () => chromium.launch({ executablePath: chromiumPath(), args: chromiumFlags });

/** Of this machine, undefined where it has none; LOWBIT_FIREFOX may name one. */
export const firefoxPath = process.env.LOWBIT_FIREFOX ?? which(["firefox", "firefox-esr"]);

/** Firefox by puppeteer-core, which the benchmark suite drives it with. */
export async function launchFirefox() {
  const path = createRequire(join(root, "bench", "package.json")).resolve("puppeteer-core");
  const { default: puppeteer } = await import(pathToFileURL(path).href);
  return puppeteer.launch({ browser: "firefox", executablePath: firefoxPath, headless: true });
}

/** Starts WebKit, or Safari, by WebDriver, as the benchmark suite does: `launch(url)` opens the page with `?auto=webkit`; undefined where this machine has none. */
export async function findWebkit() {
  const { platforms } = await import(pathToFileURL(join(root, "bench", "dist", "index.js")).href);
  const found = await platforms.find(({ name }) => name === "webkit").find();
  return "absent" in found ? undefined : found;
}

/** Opens the page and resolves with the JSON that it puts into its title, and what it wrote to the console. */
export async function titleOf(browser, url, timeout = 110_000) {
  const page = await browser.newPage();
  const said = [];
  page.on("console", (message) => said.push(message.text()));
  page.on("pageerror", (error) => said.push(String(error)));
  try {
    await page.goto(url);
    for (const end = Date.now() + timeout; Date.now() < end; await setTimeout(50)) {
      const title = await page.title();
      if (title.startsWith("{")) return { ...JSON.parse(title), console: said };
    }
    throw new Error(
      `the page put nothing into its title in ${timeout} ms; its console: ${said.join(" | ") || "empty"}`,
    );
  } finally {
    await page.close();
  }
}
