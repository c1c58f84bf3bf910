/**
 * The page as a person uses it, in real browsers: 5,000 definitions encoded by MiniLM, asked, switched between indexes, and asked again with the network gone. Skipped by name without
 * WordNet (apt-get install wordnet-base), MiniLM (node scripts/get-minilm.mjs) or a browser. What was encoded is kept in `.cache`, so only the first run takes a minute.
 */
import { execFile } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { type Browser, chromium, type Page } from "playwright-core";
import puppeteer from "puppeteer-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { chromiumFlags, chromiumPath } from "../../../scripts/setup/chromium.mjs";
import { which } from "../../../scripts/setup/run.mjs";
import { FIRST, type Manifest } from "../src/manifest.ts";
import { type Served, serve } from "./serve.ts";

const home = join(import.meta.dirname, "..");
const minilm = join(home, "../../.toolchain/cache/minilm");
const isThere = existsSync("/usr/share/wordnet/data.noun") && existsSync(join(minilm, "tokenizer.json"));
const firefoxPath = process.env.LOWBIT_FIREFOX ?? which(["firefox", "firefox-esr"]);
const LONG = 120_000;

const node = (...args: string[]) => promisify(execFile)(process.execPath, args, { cwd: home });

describe.skipIf(!isThere)("the page of 5,000 definitions (skipped without wordnet-base and MiniLM)", () => {
  let folder: string;
  let manifest: Manifest;

  beforeAll(async () => {
    folder = join(mkdtempSync(join(tmpdir(), "lowbit-playground-")), "site");
    await node("scripts/build.mjs");
    await node("dist/site/main.js", "--sample", "5000", "-o", folder);
    manifest = JSON.parse(readFileSync(join(folder, "site.json"), "utf8"));
  }, 600_000);

  afterAll(() => rmSync(join(folder, ".."), { recursive: true, force: true }));

  it("indexes share what they have in common, and find what they should", () => {
    const found = Object.fromEntries(manifest.indexes.map(({ spec, recall }) => [spec, recall]));
    expect(found.SQ8).toBeGreaterThan(0.98);
    expect(found[FIRST]).toBeGreaterThan(0.93);
    expect(found["Binary,RSQ8"]).toBeGreaterThan(0.95);
    expect(found["PQ48x8,RSQ8"]).toBeGreaterThan(0.95);
    // Rows of int8 are one file for all that score again with them.
    const rows = manifest.indexes.flatMap(({ tensors }) => tensors.filter(({ file }) => file.bytes === 384 * 5000));
    expect(rows).toHaveLength(4);
    expect(new Set(rows.map(({ file }) => file.path)).size).toBe(1);
  });

  describe.skipIf(!chromiumPath())("in Chromium", () => {
    let browser: Browser;
    let server: Served;
    let page: Page;
    const asked: string[] = [];
    const said: string[] = [];

    const open = async () => {
      page = await browser.contexts()[0]!.newPage();
      page.setDefaultTimeout(LONG);
      page.on("request", (request) => asked.push(request.url()));
      page.on("console", (message) => said.push(message.text()));
      page.on("pageerror", (error) => said.push(String(error)));
      await page.goto(server.url);
      await page.waitForSelector("body[data-index]");
    };
    const question = () => page.getByRole("searchbox", { name: "Describe a thing" });
    const words = () => page.locator("#found .words").allInnerTexts();
    const nearest = (word: string) => page.locator("#found li:first-child .words", { hasText: word }).waitFor();
    const figure = (spec: string, name: string) =>
      page.locator(`tr[data-spec="${spec}"] [data-figure=${name}][data-measured]`).textContent();

    beforeAll(async () => {
      server = await serve(folder);
      browser = await chromium.launch({ executablePath: chromiumPath()!, args: chromiumFlags });
      await browser.newContext();
      await open();
    }, LONG);
    afterAll(async () => {
      await browser?.close();
      await server?.close();
    });

    it(
      "finds words while they are described, and only what was typed last stays",
      async () => {
        await question().pressSequentially("a device that measures how hot it is");
        await nearest("thermometer");
        expect((await words()).length).toBe(20);
        await question().fill("a domesticated animal");
        await question().fill("a person who teaches at a school");
        await nearest("teacher");
        // What screen readers hear, and what the address keeps, once typing rests.
        await expect.poll(() => page.getByRole("status").textContent()).toMatch(/20 definitions, the nearest: teacher/);
        expect(decodeURIComponent(new URL(page.url()).hash)).toBe("#a person who teaches at a school");
        await page.keyboard.press("Escape");
        await expect.poll(words).toEqual([]);
        // From anywhere else, a key leads back.
        await page.getByRole("radio", { name: FIRST }).focus();
        await page.keyboard.press("/");
        await page.keyboard.type("a domesticated animal that barks");
        await expect.poll(async () => (await words()).slice(0, 6).join()).toContain("dog");
      },
      LONG,
    );

    it(
      "switches between indexes, which find here what they found when they were built",
      async () => {
        for (const { spec, recall, bytesPerVector } of manifest.indexes) {
          await page
            .getByRole("radio", { name: spec, exact: false })
            .and(page.locator(`[value="${spec}"]`))
            .check();
          await page.waitForSelector(`body[data-index="${spec}"]`);
          expect(await figure(spec, "recall")).toBe(recall.toFixed(3));
          expect(Number(await figure(spec, "ms"))).toBeGreaterThan(0);
          // Codes are a part of the memory, and the module's own is no more than a few megabytes.
          const memory = Number((await figure(spec, "memory"))?.replace(" MB", "")) * 1e6;
          expect(memory).toBeGreaterThan(bytesPerVector * 5000);
          expect(memory).toBeLessThan(1.2 * bytesPerVector * 5000 + 4e6);
          await expect.poll(() => page.locator("#right").textContent()).toMatch(/^\d+ found$/);
        }
        expect(await page.locator("#encode-ms").textContent()).toMatch(/^[\d.]+ ms$/);
      },
      LONG,
    );

    it(
      "works with the network gone, with every index, and never asked another host",
      async () => {
        await page.waitForSelector("#offline.kept");
        await server.close();
        await page.close();
        await browser.contexts()[0]!.setOffline(true);
        const before = server.asked.length;
        await open();
        await question().fill("a device that measures how hot it is");
        await nearest("thermometer");
        await page.locator('[value="PQ48x8,RSQ8"]').check();
        await page.waitForSelector('body[data-index="PQ48x8,RSQ8"]');
        await nearest("thermometer");
        await page.waitForSelector("#offline.kept");
        expect(server.asked.length).toBe(before);
        expect(new Set(asked.map((url) => new URL(url).origin))).toEqual(new Set([new URL(server.url).origin]));
        expect(said).toEqual([]);
        expect(await page.locator("#license").textContent()).toContain(
          "WordNet 3.0 Copyright 2006 by Princeton University",
        );
      },
      LONG,
    );
  });

  it.skipIf(!firefoxPath)(
    "in Firefox: asked, switched, and asked again with the network gone",
    async () => {
      const server = await serve(folder);
      const browser = await puppeteer.launch({ browser: "firefox", executablePath: firefoxPath!, headless: true });
      try {
        const page = await browser.newPage();
        page.setDefaultTimeout(LONG);
        const ask = async (spec: string) => {
          await page.goto(server.url);
          await page.waitForSelector("body[data-index]");
          await page.type("#question", "a device that measures how hot it is");
          await page.waitForFunction(() =>
            /thermometer/.test(document.querySelector("#found .words")?.textContent ?? ""),
          );
          await page.click(`[value="${spec}"]`);
          await page.waitForFunction((wanted) => document.body.dataset.index === wanted, {}, spec);
          const cell = await page.waitForSelector(`tr[data-spec="${spec}"] [data-figure=recall][data-measured]`);
          const { recall } = manifest.indexes.find((index) => index.spec === spec)!;
          expect(await cell!.evaluate(({ textContent }) => textContent)).toBe(recall.toFixed(3));
          await page.waitForSelector("#offline.kept");
        };
        await ask("Binary,RSQ8");
        await server.close();
        await ask("PQ48x4fs,RSQ8");
      } finally {
        await browser.close();
        await server.close();
      }
    },
    240_000,
  );
});
