// The speeds that this project asks of itself, and what the newest record of each machine has of them: `node scripts/bench-asked.mjs` prints the table that `pnpm bench:readme` writes into bench/README.md.
//
// Every figure is a ratio of medians of one case, each engine's of its fastest process: how many times as fast as what it is against. Of several cases the least and the most.
import { newestOfEach } from "./bench-records.mjs";
import { whenMain } from "./main-module.mjs";

const binaryConv = [
  "binary_conv/56x56x128-k3x3-128",
  "binary_conv/28x28x128-k3x3-128",
  "binary_conv/14x14x256-k3x3-256",
  "binary_conv/7x7x512-k3x3-512",
];

const large = [
  "binary_conv/56x56x128-k3x3-128",
  "xnor_gemm/1024x1024x1024",
  "ternary_gemm/256x1024x1024",
  "int8_conv/56x56x128-k3x3-128",
  "int8_gemm/1024x1024x1024",
  "conv_f32/56x56x64-k3x3-64",
  "gemm_f32/1024x1024x1024",
];

/** `cases`: ids, or beginnings of ids. `tier`: of ours. `against`: an engine, or `read` for the share of what memory gives. */
const asked = [
  ["binary 3 × 3 convolution, C ≥ 128", binaryConv, "relaxed", "litert:fp32", 9, 15],
  ["", binaryConv, "relaxed", "litert:int8", 2.8, 4.5],
  ["", binaryConv, "relaxed", "onnxruntime-web:fp32", 15, 25],
  ["", binaryConv, "relaxed", "onnxruntime-web:int8", 5.5, 9],
  ["", binaryConv, "simd128", "onnxruntime-web:fp32", 12, 18],
  ["", binaryConv, "simd128", "onnxruntime-web:int8", 4.5, 7],
  ["binary ResNet-18, whole", ["network/resnet18-binary"], "relaxed", "litert:fp32", 5, 9],
  ["", ["network/resnet18-binary"], "relaxed", "litert:int8", 1.6, 3],
  ["", ["network/resnet18-binary"], "relaxed", "native:onnxruntime-fp32", undefined, 1],
  ["ternary row, cold", ["ternary_gemv_cold/1x4096x4096"], "relaxed", "litert:int8", 1.8, 3.5],
  ["", ["ternary_gemv_cold/1x4096x4096"], "relaxed", "litert:int4", 2.3, 4.5],
  ["ternary row, hot", ["ternary_gemv/1x4096x4096"], "relaxed", "onnxruntime-web:fp32", 9, 18],
  ["", ["ternary_gemv/1x4096x4096"], "relaxed", "native:onnxruntime-nbits4", 0.7, 1.1],
  ["", ["ternary_gemv/1x4096x4096"], "simd128", "onnxruntime-web:fp32", 5.5, 8],
  ["int8 products", ["int8_gemm/"], "relaxed", "litert:int8", 1, 1.3],
  ["", ["int8_gemm/"], "simd128", "litert-compat:int8", 1.4, 2],
  ["int8 convolutions", ["int8_conv/"], "relaxed", "litert:int8", 1, 1.3],
  ["", ["int8_conv/"], "simd128", "litert-compat:int8", 1.4, 2],
  ["f32 product of 1024", ["gemm_f32/1024x1024x1024"], "relaxed", "litert:fp32", 0.9, 1.2],
  ["", ["gemm_f32/1024x1024x1024"], "relaxed", "onnxruntime-web:fp32", 1.3, 1.7],
  ["uint8 MobileNets", ["network/mobilenet-v1-uint8", "network/mobilenet-v2-uint8"], "relaxed", "litert:int8", 1.5, 3],
  ["8-bit PQ scan, M = 16", ["pq_scan/1x1000000x16"], "relaxed", "native:faiss-pq", 1.6, 2.5],
  ["M = 32", ["pq_scan/1x1000000x32"], "relaxed", "native:faiss-pq", 1.2, 2],
  ["M = 48", ["pq_scan/1x1000000x48"], "relaxed", "native:faiss-pq", 1, 1.5],
  ["4-bit PQ scan, one query", ["pq_fast_scan/1x"], "relaxed", "native:faiss-fast-scan", 0.6, 1],
  ["16 queries", ["pq_fast_scan/16x"], "relaxed", "native:faiss-fast-scan", 0.35, 0.55],
  ["Hamming scan", ["hamming/"], "relaxed", "native:faiss-binary", 1, 1.3],
  ["", ["hamming/"], "relaxed", "read", 0.7, 0.95],
  ["every kernel", [""], "relaxed", "native:lowbit", 0.7, 0.9],
  ["", [""], "relaxed", "native:lowbit-128", 0.7, 0.9],
  ["two threads, large shapes", large, "relaxed:2", "lowbit:relaxed", 1.6, 1.9],
];

const words = {
  read: "memory read between the rounds",
  "lowbit:relaxed": "one thread",
  "native:lowbit": "the same source native",
  "native:lowbit-128": "the same, kept to vectors of 128 bits",
};

/** How many times as fast each of the cases is, with its id; the slowest first. */
function ratios({ results }, platform, [, cases, tier, against]) {
  const here = results.filter(
    (each) => each.platform === platform && cases.some((start) => each.case.startsWith(start)),
  );
  const found = [];
  for (const ours of here.filter(({ engine }) => engine === `lowbit:${tier}`)) {
    const other = here.find((each) => each.case === ours.case && each.engine === against);
    if (against === "read" && ours.limit === "readMemory") found.push([ours.ofLimit, ours.case]);
    else if (other) found.push([other.medianMs / ours.medianMs, ours.case]);
  }
  return found.sort(([a], [b]) => a - b);
}

/** "1.30 to 1.36: goal"; of many cases how many miss the floor. */
function cell(found, floor, goal) {
  if (found.length === 0) return "";
  const [least, most] = [found[0][0], found.at(-1)[0]];
  const digits = (x) => (x < 10 ? x.toFixed(2) : x.toFixed(1));
  const range = found.length === 1 ? digits(least) : `${digits(least)} to ${digits(most)}`;
  if (least >= goal) return `${range}: goal`;
  if (floor === undefined || least >= floor) return range;
  const held = found.filter(([x]) => x >= floor).length;
  return found.length === 1 ? `${range}: **missed**` : `${range}: **${found.length - held} of ${found.length} missed**`;
}

/** The table over records, a column each. */
export function askedTable(records, platform) {
  const names = records.map(({ machine }) => `\`${machine.name}\``);
  const lines = [
    `| what | tier | against | floor | goal | ${names.join(" | ")} |`,
    `|---|---|---|--:|--:|${names.map(() => "--:|").join("")}`,
  ];
  for (const row of asked) {
    const [what, , tier, against, floor, goal] = row;
    const cells = records.map((record) => cell(ratios(record, platform, row), floor, goal));
    lines.push(`| ${[what, tier, words[against] ?? against, floor ?? "", goal, ...cells].join(" | ")} |`);
  }
  return lines.join("\n");
}

await whenMain(import.meta.url, () => {
  const newest = newestOfEach().map(({ record }) => record);
  console.log(askedTable(newest, "node24"));
});
