/** Words, figures and rows of the page, as elements. */
import type { Answer, Figures, Found, Listed } from "./protocol.ts";

export const byId = <T extends HTMLElement>(id: string): T => {
  const found = document.getElementById(id);
  if (!found) throw new Error(`no element ${id}`);
  return found as T;
};

export function element<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  { className = "", text }: { readonly className?: string; readonly text?: string } = {},
  ...children: readonly (Node | string)[]
): HTMLElementTagNameMap[K] {
  const made = document.createElement(tag);
  if (className) made.className = className;
  if (text !== undefined) made.textContent = text;
  made.append(...children);
  return made;
}

export const megabytes = (bytes: number): string => `${(bytes / 1e6).toFixed(1)} MB`;
const milliseconds = (ms: number): string => (ms < 10 ? ms.toFixed(2) : ms.toFixed(0));

const PARTS: Readonly<Record<string, string>> = { n: "noun", v: "verb", a: "adjective", r: "adverb" };

function item({ pos, words: [first = "", ...others], gloss, score }: Found): HTMLLIElement {
  const words = element(
    "div",
    { className: "words" },
    first,
    " ",
    element("span", { className: "pos", text: PARTS[pos] ?? pos }),
  );
  if (others.length > 0) words.append(element("div", { className: "others", text: others.join(", ") }));
  const bar = element("i");
  bar.style.setProperty("--share", `${Math.round(100 * Math.max(0, Math.min(1, score)))}%`);
  return element(
    "li",
    {},
    words,
    element(
      "div",
      { className: "score" },
      element("span", { className: "unseen", text: "score " }),
      score.toFixed(3),
      bar,
    ),
    element("p", { className: "gloss", text: gloss }),
  );
}

export function showAnswer({ found, encodeMs, searchMs, recall }: Answer): void {
  byId("found").replaceChildren(...found.map(item));
  byId("encode-ms").textContent = `${milliseconds(encodeMs)} ms`;
  byId("search-ms").textContent = `${milliseconds(searchMs)} ms`;
  byId("right").textContent = recall === undefined ? "…" : `${Math.round(10 * recall)} found`;
}

export function clearAnswer(): void {
  byId("found").replaceChildren();
  for (const id of ["encode-ms", "search-ms", "right"]) byId(id).textContent = "–";
}

const ABOUT: Readonly<Record<string, string>> = {
  SQ8: "a byte each: exact",
  RaBitQ4: "4 bits each, rotated",
  "Binary,RSQ8": "signs, 200 scored again",
  "PQ48x8,RSQ8": "of 256, 50 scored again",
  "PQ48x4fs,RSQ8": "of 16, 50 scored again",
  PQ48x8: "48 codebooks of 256",
  PQ48x4fs: "48 codebooks of 16",
};

const FIGURES = ["bytes", "memory", "ms", "recall"] as const;

/** One index that can be chosen; what is measured comes when it was, and until then recall is that of its making. */
export function indexRow({ spec, bytesPerVector, recall }: Listed, checked: boolean): HTMLTableRowElement {
  const radio = element("input");
  Object.assign(radio, { type: "radio", name: "index", value: spec, checked });
  const label = element("label", {}, radio, element("span", { text: spec }));
  label.append(element("small", { text: ABOUT[spec] ?? "" }));
  const row = element("tr", {}, element("td", {}, label));
  row.dataset.spec = spec;
  const known = { bytes: String(bytesPerVector), memory: "–", ms: "–", recall: recall.toFixed(3) };
  for (const name of FIGURES) {
    const cell = element("td", { text: known[name] });
    cell.dataset.figure = name;
    row.append(cell);
  }
  return row;
}

export function showFigures({ spec, memory, msPerQuery, recall }: Figures): void {
  const row = document.querySelector(`tr[data-spec="${CSS.escape(spec)}"]`);
  const write = (name: (typeof FIGURES)[number], text: string | undefined) => {
    const cell = row?.querySelector<HTMLElement>(`[data-figure=${name}]`);
    if (!cell || text === undefined) return;
    cell.textContent = text;
    cell.dataset.measured = "";
  };
  write("memory", megabytes(memory));
  write("ms", msPerQuery?.toFixed(2));
  write("recall", recall?.toFixed(3));
}
