/** Where the label of each point goes so that no label covers another label or a point. */

export interface LabelledPoint {
  /** Pixels. */
  readonly x: number;
  readonly y: number;
  readonly text: string;
}

export interface Placement {
  /** Offset from the point in pixels, and which end of the text sits there. */
  readonly dx: number;
  readonly dy: number;
  readonly anchor: "start" | "end" | "middle";
}

export interface Box {
  readonly left: number;
  readonly top: number;
  readonly right: number;
  readonly bottom: number;
}

/** Width of a 13 px sans-serif character and half the height of its line, in pixels; generous, since fonts differ. */
const CHARACTER = 7;
const HALF_LINE = 9;

/** Tried in this order; the later ones step away from a crowd. */
const CANDIDATES: readonly Placement[] = [
  { dx: 11, dy: 0, anchor: "start" },
  { dx: -11, dy: 0, anchor: "end" },
  { dx: 0, dy: -18, anchor: "middle" },
  { dx: 0, dy: 18, anchor: "middle" },
  { dx: 9, dy: -16, anchor: "start" },
  { dx: 9, dy: 16, anchor: "start" },
  { dx: -9, dy: -16, anchor: "end" },
  { dx: -9, dy: 16, anchor: "end" },
  { dx: 11, dy: -32, anchor: "start" },
  { dx: 11, dy: 32, anchor: "start" },
  { dx: -11, dy: -32, anchor: "end" },
  { dx: -11, dy: 32, anchor: "end" },
  { dx: -24, dy: -48, anchor: "end" },
  { dx: -24, dy: 48, anchor: "end" },
];

function boxOf(point: LabelledPoint, place: Placement): Box {
  const width = point.text.length * CHARACTER;
  const x = point.x + place.dx;
  const left = place.anchor === "start" ? x : place.anchor === "end" ? x - width : x - width / 2;
  const y = point.y + place.dy;
  return { left, right: left + width, top: y - HALF_LINE, bottom: y + HALF_LINE };
}

const overlap = (a: Box, b: Box): number =>
  Math.max(0, Math.min(a.right, b.right) - Math.max(a.left, b.left)) *
  Math.max(0, Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top));

const outside = (box: Box, frame: Box): number =>
  Math.max(0, frame.left - box.left) +
  Math.max(0, box.right - frame.right) +
  Math.max(0, frame.top - box.top) +
  Math.max(0, box.bottom - frame.bottom);

/** Greedy: every label takes the first candidate that is free, or the least bad one. @param lines what labels should not cross */
export function placeLabels(points: readonly LabelledPoint[], frame: Box, lines: readonly Box[] = []): Placement[] {
  const taken: Box[] = points.map((p) => ({ left: p.x - 8, right: p.x + 8, top: p.y - 8, bottom: p.y + 8 }));
  return points.map((point, index) => {
    let best: Placement = { dx: 11, dy: 0, anchor: "start" };
    let bestCost = Number.POSITIVE_INFINITY;
    for (const place of CANDIDATES) {
      const box = boxOf(point, place);
      const crossed = lines.reduce((sum, line) => sum + overlap(box, line), 0);
      const cost = taken.reduce(
        (sum, other, i) => sum + (i === index ? 0 : overlap(box, other)),
        100 * outside(box, frame) + crossed,
      );
      if (cost < bestCost) [best, bestCost] = [place, cost];
      if (cost === 0) break;
    }
    taken.push(boxOf(point, best));
    return best;
  });
}
