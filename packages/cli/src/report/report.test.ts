import { describe, expect, it } from "vitest";
import type { LayerFigures, SchemeFigures } from "./figures.ts";
import { placeLabels } from "./place-labels.ts";
import { quantizedPage } from "./quantized-page.ts";
import { schemesPage } from "./schemes-page.ts";
import { textTable } from "./text-table.ts";

const layer = (name: string, sqnr: number): LayerFigures => ({
  name,
  scheme: "int8",
  bitsPerWeight: 8.1,
  bytes: 1234,
  sqnr,
  cosine: 0.999,
  maxError: 0.1,
});

const schemes: SchemeFigures[] = [
  {
    name: "float",
    kind: "reference",
    bitsPerWeight: 32,
    bytes: 400_000,
    top1: 0.99,
    imagesPerSecond: 1000,
    layers: [],
  },
  { name: "peer", kind: "peer", bitsPerWeight: 32, bytes: 400_000, top1: 0.99, imagesPerSecond: 2000, layers: [] },
  {
    name: "int8",
    kind: "cut",
    bitsPerWeight: 8.1,
    bytes: 100_000,
    top1: 1,
    agreement: 1,
    imagesPerSecond: 4000,
    layers: [layer("conv1", 40), layer("fc", Number.POSITIVE_INFINITY)],
  },
  {
    name: "<b>bad</b>",
    kind: "cut",
    bitsPerWeight: 1,
    bytes: 13_000,
    top1: 0.5,
    refused: { layer: "conv1", reason: "2.0 dB < 6 dB" },
    layers: [layer("conv1", -2)],
  },
];

/** Tags that are opened and not closed, SVG and void elements included; a browser would repair them in silence. */
function unbalanced(html: string): string[] {
  const open: string[] = [];
  for (const [, close, name, self] of html
    .replace(/<style[\s\S]*?<\/style>/g, "")
    .matchAll(/<(\/?)([a-z][\w-]*)[^>]*?(\/?)>/gi)) {
    if (!name || self || /^(meta|br|img|hr|link)$/i.test(name)) continue;
    if (!close) open.push(name);
    else if (open.pop() !== name) return [name];
  }
  return open;
}

describe("schemesPage", () => {
  const page = schemesPage({ title: "A & B", summary: "Sum.", schemes, facts: [["node", "v20"]] });
  it("is one document that loads nothing and runs nothing", () => {
    expect(page).not.toMatch(/<script|<link|src=|@import|url\(|href=/);
    expect(unbalanced(page)).toEqual([]);
  });
  it("escapes what came from outside", () => {
    expect(page).not.toContain("<b>bad");
    expect(page).toContain("&lt;b&gt;bad");
    expect(page).toContain("<title>A &amp; B</title>");
  });
  it("prints the ratios and the refusal with layer and figure", () => {
    expect(page).toContain("4.0 ×");
    expect(page).toContain("2.0 ×");
    expect(page).toContain("REFUSED at conv1: 2.0 dB &lt; 6 dB");
  });
  it("draws infinite SQNR as a word and never writes NaN into the SVG", () => {
    expect(page).toContain("exact");
    expect(page).not.toMatch(/="[^"]*(NaN|Infinity)/);
  });
});

describe("quantizedPage", () => {
  const base = {
    source: "net.onnx",
    sourceBytes: 4000,
    bytes: 1000,
    bitsPerWeight: 8.1,
    layers: [layer("conv1", 40)],
    facts: [],
  };
  it("says how much smaller the file became", () => expect(quantizedPage(base)).toContain("4.0 times smaller"));
  it("says that nothing was written where the gate refused", () =>
    expect(quantizedPage({ ...base, refused: { layer: "conv1", reason: "low" } })).toContain("Nothing was written"));
  it("stands without a single layer", () => expect(unbalanced(quantizedPage({ ...base, layers: [] }))).toEqual([]));
});

describe("placeLabels", () => {
  it("keeps labels of neighbouring points apart", () => {
    const points = [0, 1, 2, 3].map((i) => ({ x: 200 + i, y: 100 + i, text: "label text" }));
    const placed = placeLabels(points, { left: 0, top: 0, right: 900, bottom: 400 });
    expect(new Set(placed.map((p) => `${p.dx},${p.dy},${p.anchor}`)).size).toBe(4);
  });
  it("turns a label at the right edge to the left", () => {
    expect(
      placeLabels([{ x: 880, y: 100, text: "long label" }], { left: 0, top: 0, right: 900, bottom: 400 })[0]?.anchor,
    ).toBe("end");
  });
});

describe("textTable", () => {
  it("aligns numbers right and text left", () => {
    const columns = [
      { title: "a", cell: (r: string[]) => r[0] ?? "" },
      { title: "bb", cell: (r: string[]) => r[1] ?? "", numeric: true },
    ];
    expect(
      textTable(columns, [
        ["x", "1"],
        ["yyy", "100"],
      ]),
    ).toBe("a     bb\n---  ---\nx      1\nyyy  100");
  });
});
