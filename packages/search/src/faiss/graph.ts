/** Graphs of Faiss (HNSW), read and written: the same links, in rows for every level of a node one behind the other. */

import type { Index } from "../search-index.ts";
import { formatSpec, parseSpec } from "../spec.ts";
import type { Reader, Writer } from "./bytes.ts";
import type { Found } from "./parts.ts";

/** Nodes that Faiss keeps on its way where nobody says otherwise: as many as an index here does. */
const BREADTH = 64;

/** Levels that Faiss draws: until fewer than one in 10^9 nodes would be in the next. */
function levelsOf(links: number): number {
  let levels = 0;
  for (let share = 1 - 1 / links; share >= 1e-9; share /= links) levels++;
  return levels;
}

/** Rows of 2 M neighbours in level 0 and M above. */
export function writeGraph(writer: Writer, index: Index, links: number): void {
  const { efConstruction } = index.state;
  const parts = new Map(index.parts().map(({ name, block }) => [name, block]));
  const words = (name: string) => new Uint32Array(parts.get(name)!.view().slice().buffer);
  const [places, base, upper] = [words("graph.places"), words("graph.base"), words("graph.upper")];
  const n = index.size;
  const levels = Int32Array.from({ length: n }, (_, i) => places[i + 1]! - places[i]! + 1);
  const top = levels.reduce((most, level) => Math.max(most, level), 0);
  // More than Faiss would draw only where the file must hold them.
  const held = Math.max(levelsOf(links), top);
  const shares = new Float64Array(held);
  // By divisions, which are the same everywhere.
  for (let level = 0, share = 1 - 1 / links; level < held; level++, share /= links) shares[level] = share;
  const widths = Int32Array.from({ length: held + 1 }, (_, level) => (level === 0 ? 0 : links * (level + 1)));
  const ends = levels.map((level) => links * (level + 1));
  const offsets = new BigInt64Array(n + 1);
  for (let i = 0; i < n; i++) offsets[i + 1] = offsets[i]! + BigInt(ends[i]!);
  const rows = new Uint32Array(Number(offsets[n]!));
  let at = 0;
  for (let i = 0; i < n; i++) {
    rows.set(base.subarray(2 * links * i, 2 * links * (i + 1)), at);
    at += 2 * links;
    rows.set(upper.subarray(links * places[i]!, links * places[i + 1]!), at);
    at += links * (levels[i]! - 1);
  }
  writer.vector(shares).vector(widths).vector(levels).vector(offsets).vector(rows);
  // No entry of no nodes; the last is a field of no meaning.
  writer.i32(n === 0 ? -1 : index.graph!.entry, top - 1, efConstruction, BREADTH, 1);
}

/** @param storage reads the index that the graph stands over */
export function readGraph(
  reader: Reader,
  { n, metric, dimension }: Pick<Found, "n" | "metric" | "dimension">,
  storage: () => Found,
): Found {
  const drawn = reader.count("length of assign_probas", 64);
  reader.raw(8 * drawn, "assign_probas");
  const widths = reader.words("cum_nneighbor_per_level", drawn + 1);
  const links = widths[1]! / 2;
  const regular = widths.every((width, level) => width === (level === 0 ? 0 : links * (level + 1)));
  if (drawn < 1 || !Number.isInteger(links) || links < 2 || links > 256 || !regular)
    reader.refuse("cum_nneighbor_per_level", "0, 2 M, 3 M ... with M of 2 to 256", [...widths].join(" "));
  const levels = reader.words("levels", n);
  const places = new Uint32Array(n === 0 ? 0 : n + 1);
  for (let i = 0; i < n; i++) {
    const level = levels[i]!;
    if (level < 1 || level > drawn) reader.refuse("level of a node", `1 to ${drawn}`, level);
    places[i + 1] = places[i]! + level - 1;
  }
  const offsets = reader.integers("offsets", n + 1);
  const base = new Uint32Array(2 * links * n);
  const upper = new Uint32Array(links * (places[n] ?? 0));
  const rows = reader.words("neighbors", 2 * links * n + upper.length);
  for (let i = 0, at = 0; i < n; i++) {
    if (offsets[i] !== BigInt(at)) reader.refuse("offset of a node", at, offsets[i]);
    base.set(rows.subarray(at, at + 2 * links), 2 * links * i);
    at += 2 * links;
    const above = links * (levels[i]! - 1);
    upper.set(rows.subarray(at, at + above), links * places[i]!);
    at += above;
  }
  const entry = reader.i32("entry_point");
  reader.i32("max_level");
  const efConstruction = reader.i32("efConstruction");
  if (efConstruction < 1 || efConstruction > 65_536) reader.refuse("efConstruction", "1 to 65536", efConstruction);
  reader.raw(8, "efSearch and upper_beam");
  const inner = storage();
  const { codes } = inner.spec;
  const fits = inner.n === n && inner.metric === metric && inner.dimension === dimension;
  const alone = formatSpec({ codes }) === formatSpec(inner.spec);
  const linkable = codes.kind === "flat" || (codes.kind === "pq" && codes.bits === 8);
  if (!fits || !alone || !linkable)
    reader.refuse("storage of the graph", `${n} vectors, flat or PQ of 8 bits`, formatSpec(inner.spec));
  const bytes = (words: Uint32Array) => new Uint8Array(words.buffer);
  const graph: [string, Uint8Array][] = [
    ["graph.places", bytes(places)],
    ["graph.base", bytes(base)],
    ["graph.upper", bytes(upper)],
  ];
  return {
    ...inner,
    spec: parseSpec(`HNSW${links},${formatSpec(inner.spec)}`),
    arrays: new Map([...inner.arrays, ...graph]),
    graph: { entry: n === 0 ? 0 : entry, efConstruction },
  };
}
