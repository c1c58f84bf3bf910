/**
 * The shell of a report: one HTML file that needs no network, no script and no font, readable in light and dark, on
 * paper and on a phone. Text goes in escaped; only {@link Html} values go in as they are.
 */

/** A piece of HTML that is safe to insert. */
export interface Html {
  readonly html: string;
}

const escapeText = (text: string): string =>
  text.replace(/[&<>"']/g, (c) => ({ "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;" })[c] ?? c);

type Piece = string | number | Html | readonly Html[];

const piece = (value: Piece): string =>
  typeof value === "object"
    ? "html" in value
      ? value.html
      : value.map((v) => v.html).join("")
    : escapeText(String(value));

/** Tagged template: interpolated strings are escaped, {@link Html} pieces are not. */
export function html(strings: TemplateStringsArray, ...values: readonly Piece[]): Html {
  let out = strings[0] ?? "";
  for (const [i, value] of values.entries()) out += piece(value) + (strings[i + 1] ?? "");
  return { html: out };
}

export interface Column<Row> {
  readonly title: string;
  readonly cell: (row: Row) => string | Html;
  /** Numbers are set right-aligned in figures of equal width. */
  readonly numeric?: boolean;
}

/** A table; `mark` gives a row its class. */
export function table<Row>(
  columns: readonly Column<Row>[],
  rows: readonly Row[],
  mark: (row: Row) => string = () => "",
): Html {
  const kind = (column: Column<Row>) => (column.numeric ? "number" : "text");
  return html`<div class="scroll"><table><thead><tr>${columns.map((c) => html`<th class="${kind(c)}">${c.title}</th>`)}</tr></thead>
<tbody>${rows.map(
    (row) => html`<tr class="${mark(row)}">${columns.map((c) => html`<td class="${kind(c)}">${c.cell(row)}</td>`)}</tr>
`,
  )}</tbody></table></div>`;
}

/** A drawing with the sentence that says what to see in it. */
export const figure = (drawing: Html, caption: string): Html =>
  html`<figure>${drawing}<figcaption>${caption}</figcaption></figure>`;

/** Name and value pairs: where the numbers come from. */
export const facts = (entries: readonly (readonly [string, string])[]): Html =>
  html`<dl>${entries.map(([name, value]) => html`<div><dt>${name}</dt><dd>${value}</dd></div>`)}</dl>`;

const STYLE = `
:root { color-scheme: light dark; --ink: #1c2430; --soft: #5b6675; --line: #d9dee5; --paper: #fff; --panel: #f6f8fa;
  --reference: #6b7785; --cut: #2563c9; --trained: #0b7f5f; --peer: #a35b00; --refused: #c22f3d; --wash: #fdeeee; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6eaf0; --soft: #9aa6b5; --line: #323b47; --paper: #12161c; --panel: #1a2029;
  --reference: #9aa6b5; --cut: #74a7ff; --trained: #45c9a0; --peer: #e6a04c; --refused: #ff7a85; --wash: #33191d; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink); font: 16px/1.55 system-ui, sans-serif; }
main { max-width: 60rem; margin: 0 auto; padding: 2.5rem 1.25rem 4rem; }
h1 { font-size: 1.75rem; line-height: 1.2; margin: 0 0 .5rem; letter-spacing: -.01em; }
h2 { font-size: 1.2rem; margin: 2.75rem 0 .5rem; } h3 { font-size: 1rem; margin: 1.75rem 0 .25rem; }
p { margin: 0 0 .75rem; max-width: 46rem; } .lead { font-size: 1.08rem; } .note, figcaption { color: var(--soft); font-size: .9rem; }
.scroll { overflow-x: auto; margin: 1rem 0; }
table { border-collapse: collapse; width: 100%; font-size: .92rem; }
th { text-align: left; font-weight: 600; color: var(--soft); border-bottom: 1px solid var(--soft); vertical-align: bottom; line-height: 1.25; }
th, td { padding: .4rem .6rem; } td { border-bottom: 1px solid var(--line); } td:first-child { min-width: 12.5rem; }
.number { text-align: right; font-variant-numeric: tabular-nums; } td.number { white-space: nowrap; }
tr.refused td { background: var(--wash); } .refusal { color: var(--refused); font-size: .88rem; }
tr.reference td, tr.peer td { color: var(--soft); }
figure { margin: 1rem 0 0; overflow-x: auto; } figcaption { margin-top: .35rem; max-width: 46rem; }
svg { max-width: 100%; height: auto; font-family: system-ui, sans-serif; color: var(--ink); overflow: visible; }
dl { display: grid; grid-template-columns: repeat(auto-fill, minmax(13rem, 1fr)); gap: .75rem 1.5rem; margin: 1.5rem 0;
  padding: 1rem 1.1rem; background: var(--panel); border: 1px solid var(--line); border-radius: 8px; }
dt { color: var(--soft); font-size: .82rem; } dd { margin: 0; overflow-wrap: anywhere; }
.key { display: flex; flex-wrap: wrap; gap: .25rem 1.25rem; color: var(--soft); font-size: .9rem; margin: .75rem 0 0; }
.key i { display: inline-block; width: .7rem; height: .7rem; border-radius: 50%; margin-right: .4rem; }
details { margin: .5rem 0; } summary { cursor: pointer; padding: .25rem 0; }
@media print { main { max-width: none; padding: 0; } figure, table { break-inside: avoid; } }
`;

/** The whole document. `style` comes after the common one. @param refresh seconds after which a browser reads it anew; absent: never */
export function page(title: string, body: readonly Html[], style = "", refresh?: number): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeText(title)}</title>
${refresh === undefined ? "" : `<meta http-equiv="refresh" content="${refresh}">\n`}<style>${STYLE}${style}</style>
</head>
<body>
<main>
${body.map((b) => b.html).join("\n")}
</main>
</body>
</html>
`;
}
