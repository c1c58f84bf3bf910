/**
 * The suite as a page. With `?auto=<platform>` a driver started this browser: it runs at once. Else a person opened it, on a phone or another machine:
 * it asks for a name, runs, shows what it measures, and the server writes the record.
 */
import { absences } from "../engine.ts";
import { pageHost } from "../host/page.ts";
import type { Event, Job } from "../job.ts";
import type { Outcome } from "../run.ts";
import { runSuite } from "../suite.ts";

const base = new URL("/", location.href).href;
const element = <T extends HTMLElement>(id: string): T => document.getElementById(id) as T;

/** What a page may know of the machine: a guess for the person to correct. */
function guess(): string {
  const device = /\(([^;)]+)/.exec(navigator.userAgent)?.[1] ?? "device";
  const system = /Android [\d.]+; ([^;)]+)/.exec(navigator.userAgent)?.[1] ?? device;
  return `${system} ${navigator.hardwareConcurrency ?? 1} cores`.replace(/[^A-Za-z0-9 -]+/g, " ").trim();
}

async function send(path: string, event: Event): Promise<void> {
  const response = await fetch(`${base}events/${path}`, { method: "POST", body: JSON.stringify(event) });
  if (response.status === 410) throw new DOMException("the driver wants no more", "AbortError");
  if (!response.ok) throw new Error(`the server refused the figures: ${await response.text()}`);
}

const jobOf = async (path: string): Promise<Job> => {
  const response = await fetch(`${base}job/${path}`);
  const answer = await response.json();
  if (!response.ok) throw new Error(answer.error);
  return answer;
};

async function automatic(platform: string): Promise<void> {
  element("form").hidden = true;
  element("running").hidden = false;
  const status = element("status");
  try {
    const job = await jobOf(platform);
    await runSuite(pageHost(platform, job.threads, base), job, {
      version: navigator.userAgent,
      async send(event) {
        if (event.type === "case") status.textContent = event.case;
        await send(platform, event);
      },
    });
    status.textContent = "done";
  } catch (error) {
    status.textContent = String(error);
    if ((error as Error).name !== "AbortError")
      await send(platform, { type: "error", message: (error as Error).stack ?? String(error) });
  }
}

/** A line per engine; bars compare the engines of one case. */
function show(id: string, outcomes: readonly Outcome[]): void {
  element("results").hidden = false;
  const body = element("results").querySelector("tbody") as HTMLElement;
  const best = Math.max(...outcomes.map((outcome) => (outcome.kind === "timed" ? outcome.gmacs : 0)));
  let isFirst = true;
  const rows = document.createDocumentFragment();
  for (const outcome of outcomes) {
    if (outcome.kind === "skipped") continue;
    const row = document.createElement("tr");
    row.className = `${isFirst ? "next" : ""} ${outcome.engine.startsWith("lowbit") ? "ours" : ""}`;
    const cell = (text: string, className = "") => {
      const td = document.createElement("td");
      td.textContent = text;
      td.className = className;
      row.append(td);
      return td;
    };
    cell(isFirst ? id : "");
    cell(outcome.engine);
    if (outcome.kind === "timed") {
      cell(outcome.medianMs.toPrecision(3), "number");
      cell(outcome.gmacs.toPrecision(3), "number");
      const bar = document.createElement("div");
      bar.style.width = `${(100 * outcome.gmacs) / best}%`;
      cell("", "bar").append(bar);
    } else {
      const td = cell(`${outcome.kind}: ${outcome.reason}`, "wrong");
      td.colSpan = 3;
    }
    rows.append(row);
    isFirst = false;
  }
  body.prepend(rows);
}

async function byHand(quick: boolean, machine: string): Promise<void> {
  const stop = new AbortController();
  element("stop").onclick = () => stop.abort(new DOMException("stopped", "AbortError"));
  const [progress, status] = [element<HTMLProgressElement>("progress"), element("status")];
  // Screens that go dark stop the page.
  const lock = await navigator.wakeLock?.request("screen").catch(() => undefined);
  const session = `page-${crypto.getRandomValues(new Uint32Array(2)).join("")}`;
  try {
    status.textContent = "loading the engines …";
    const job = await jobOf(`${session}?${new URLSearchParams({ suite: quick ? "quick" : "full", machine })}`);
    await runSuite(pageHost("page", job.threads, base), job, {
      version: navigator.userAgent,
      signal: stop.signal,
      async send(event) {
        await send(session, event);
        if (event.type === "start")
          element("facts").textContent = [
            `${event.info.tiers.at(-1)} tier`,
            event.info.isolated
              ? "shared memory"
              : "no shared memory: open the page over https or on localhost for threads",
            ...absences(event.absent),
          ].join("; ");
        if (event.type === "case") {
          progress.value = event.index / event.count;
          status.textContent = `${event.index + 1} of ${event.count}: ${event.case}`;
          // One frame, for the words to be seen before the kernels take the thread.
          await new Promise((resolve) => setTimeout(resolve, 20));
        }
        if (event.type === "outcomes") show(event.case, event.outcomes);
      },
    });
    progress.value = 1;
    status.textContent = "Done. The record is on the serving machine.";
  } catch (error) {
    status.textContent =
      (error as Error).name === "AbortError" ? "Stopped. What was measured is on the serving machine." : String(error);
  } finally {
    element("stop").hidden = true;
    await lock?.release();
  }
}

const auto = new URLSearchParams(location.search).get("auto");
if (auto !== null) await automatic(auto);
else {
  const machine = element<HTMLInputElement>("machine");
  machine.value = guess();
  element<HTMLFormElement>("form").onsubmit = (event) => {
    event.preventDefault();
    const quick = new FormData(event.target as HTMLFormElement).get("suite") === "quick";
    element("form").hidden = true;
    element("running").hidden = false;
    void byHand(quick, machine.value);
  };
}
