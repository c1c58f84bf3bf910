/** Firefox through WebDriver BiDi: puppeteer-core speaks it without a driver in between. */
import process from "node:process";
import { optional } from "./chromium.ts";
import { type Platform, which } from "./platform.ts";

const elsewhere = [
  "/Applications/Firefox.app/Contents/MacOS/firefox",
  "C:\\Program Files\\Mozilla Firefox\\firefox.exe",
];

export const firefox: Platform = {
  name: "firefox",
  async find() {
    const executablePath = process.env.LOWBIT_FIREFOX ?? which("firefox", "firefox-esr", ...elsewhere);
    if (executablePath === undefined) return { absent: "no Firefox; LOWBIT_FIREFOX may name one" };
    const puppeteer = await optional("puppeteer-core", () => import("puppeteer-core"));
    if ("absent" in puppeteer) return puppeteer;
    return {
      async launch(server) {
        const browser = await puppeteer.launch({ browser: "firefox", executablePath, headless: true });
        const page = await browser.newPage();
        const ended = new Promise<string>((resolve) => browser.on("disconnected", () => resolve("the browser ended")));
        await page.goto(`${server}?auto=firefox`);
        return { ended, stop: () => browser.close() };
      },
    };
  },
};
