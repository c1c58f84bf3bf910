/** The page: what is typed goes to the worker, what comes back is shown. It computes nothing itself, so it never stands still. */
import type { Report, Request } from "./protocol.ts";
import { byId, clearAnswer, element, indexRow, megabytes, showAnswer, showFigures } from "./view.ts";

const EXAMPLES = [
  "a person who writes poems",
  "frozen rain that falls as white flakes",
  "a device that measures how hot it is",
  "a room where food is cooked",
  "to speak very quietly",
];

/** Screen readers are told when typing rests, and so is the address. */
const REST_MS = 600;

const question = byId<HTMLInputElement>("question");
const worker = new Worker(new URL("./worker.js", import.meta.url), { type: "module" });
const send = (request: Request): void => worker.postMessage(request);

let lastId = 0;
let shownId = 0;
let ready = false;
let spec = "";
let rest: ReturnType<typeof setTimeout> | undefined;

function ask(): void {
  const text = question.value.trim();
  lastId++;
  if (text === "") {
    shownId = lastId;
    clearAnswer();
    rests("", "");
  } else send({ kind: "ask", id: lastId, text });
}

function rests(text: string, words: string): void {
  clearTimeout(rest);
  rest = setTimeout(() => {
    byId("said").textContent = words;
    history.replaceState(null, "", text ? `#${encodeURIComponent(text)}` : location.pathname + location.search);
  }, REST_MS);
}

function load(what: string, share: number | undefined): void {
  byId("loading").hidden = false;
  byId("what").textContent = what;
  const bar = byId<HTMLProgressElement>("bar");
  if (share === undefined) bar.removeAttribute("value");
  else bar.value = share;
}

function choose(next: string): void {
  spec = next;
  for (const radio of document.querySelectorAll<HTMLInputElement>("[name=index]")) radio.checked = radio.value === next;
}

const count = (n: number): string => n.toLocaleString("en");

/** The message is one of few kinds; each has a function. */
const on: { readonly [K in Report["kind"]]: (report: Extract<Report, { kind: K }>) => void } = {
  site({ count: n, all, license, heldOut, first, indexes }) {
    byId("count").textContent =
      n === all
        ? `${count(n)} definitions of WordNet`
        : `The ${count(n)} most usual of WordNet’s ${count(all)} definitions`;
    byId("license").textContent = license;
    byId("rows").replaceChildren(...indexes.map((index) => indexRow(index, index.spec === first)));
    byId("note").textContent =
      `ms and recall@10: ${heldOut} example sentences that no index holds, measured here, against exact floats; “of the ten nearest”: your question, against exact bytes.`;
    spec = first;
  },
  loading({ what, loaded, total }) {
    const share = loaded / total;
    load(
      share < 1 ? `Loading ${what}: ${megabytes(loaded)} of ${megabytes(total)}` : `Starting ${what}`,
      share < 1 ? share : undefined,
    );
    if (ready && share >= 1) byId("loading").hidden = true;
  },
  ready({ spec: now, tier }) {
    ready = true;
    byId("loading").hidden = true;
    byId("trouble").hidden = true;
    byId("tier").textContent = `, tier ${tier}`;
    document.body.dataset.index = now;
    choose(now);
  },
  answer(answer) {
    // A letter behind is better than nothing; what was emptied stays empty.
    if (answer.id < shownId) return;
    shownId = answer.id;
    showAnswer(answer);
    const [first] = answer.found;
    rests(
      answer.text,
      first
        ? `${answer.found.length} definitions, the nearest: ${first.words.join(", ")}: ${first.gloss}`
        : "nothing found",
    );
  },
  figures: showFigures,
  kept({ loaded, total }) {
    const all = loaded >= total;
    byId("offline").classList.toggle("kept", all);
    byId("offline").textContent = all
      ? `Kept in this browser, ${megabytes(total)}: works without a network.`
      : `Keeping everything for use without a network: ${megabytes(loaded)} of ${megabytes(total)}.`;
  },
  failed({ what, message }) {
    byId("trouble").hidden = false;
    byId("trouble").textContent = `${what}: ${message}`;
    byId("loading").hidden = true;
    if (spec) choose(document.body.dataset.index ?? spec);
  },
};

worker.onmessage = ({ data }: MessageEvent<Report>) => (on[data.kind] as (report: Report) => void)(data);
worker.onerror = (event) => on.failed({ kind: "failed", what: "worker", message: event.message });

byId("examples").append(
  ...EXAMPLES.map((text) => {
    const button = element("button", { text });
    button.type = "button";
    button.addEventListener("click", () => {
      question.value = text;
      ask();
      question.focus();
    });
    return element("li", {}, button);
  }),
);
question.addEventListener("input", ask);
byId("rows").addEventListener("change", ({ target }) => {
  const next = (target as HTMLInputElement).value;
  load(`Loading ${next}`, undefined);
  send({ kind: "use", spec: next });
});
document.addEventListener("keydown", (event) => {
  if (event.key === "/" && event.target !== question && !event.ctrlKey && !event.metaKey) {
    event.preventDefault();
    question.focus();
    question.select();
  } else if (event.key === "Escape" && event.target === question) {
    question.value = "";
    ask();
  }
});
function fromAddress(): void {
  const text = decodeURIComponent(location.hash.slice(1));
  if (text === question.value.trim()) return;
  question.value = text;
  ask();
}
addEventListener("hashchange", fromAddress);
fromAddress();
// Where a keyboard is at hand; elsewhere it would come up over the page.
if (matchMedia("(pointer: fine)").matches) question.focus();

navigator.serviceWorker?.register("service-worker.js").catch(() => {
  // Without it (a private window, plain http) the page works all the same, with a network.
});
