import { expect, test } from "vitest";
import { askedTable } from "../../scripts/bench-asked.mjs";
import { newestOfEach } from "../../scripts/bench-records.mjs";

const result = (id, engine, medianMs, more = {}) => ({ case: id, platform: "node24", engine, medianMs, ...more });
const record = (name, results) => ({ machine: { name }, results });
const line = (table, what, against) =>
  table.split("\n").find((each) => each.startsWith(`| ${what}`) && each.includes(against));

test("a ratio is of one case, and what misses its floor says so", () => {
  const product = (n, ours, theirs) => [
    result(`int8_gemm/${n}`, "lowbit:relaxed", ours),
    result(`int8_gemm/${n}`, "litert:int8", theirs),
  ];
  const table = askedTable(
    [
      record("a", [...product(1, 2, 3), ...product(2, 2, 2.8)]),
      record("b", [...product(1, 2, 1.8), ...product(2, 2, 2.2)]),
      record("c", product(1, 10, 9)),
      record("d", [{ ...product(1, 2, 3)[0], platform: "bun" }]),
    ],
    "node24",
  );
  expect(table.split("\n")[0]).toContain("| `a` | `b` | `c` | `d` |");
  expect(line(table, "int8 products", "litert:int8")).toMatch(
    /\| 1 \| 1.3 \| 1.40 to 1.50: goal \| 0.90 to 1.10: \*\*1 of 2 missed\*\* \| 0.90: \*\*missed\*\* \| {2}\|$/,
  );
});

test("memory is asked for its share, threads for their gain on large shapes", () => {
  const table = askedTable(
    [
      record("a", [
        result("hamming/x", "lowbit:relaxed", 1, { limit: "readMemory", ofLimit: 0.8 }),
        result("gemm_f32/1024x1024x1024", "lowbit:relaxed", 3),
        result("gemm_f32/1024x1024x1024", "lowbit:relaxed:2", 2),
        result("network/x", "lowbit:relaxed", 1),
        result("network/x", "lowbit:relaxed:2", 1),
      ]),
    ],
    "node24",
  );
  expect(table).toContain("| memory read between the rounds | 0.7 | 0.95 | 0.80 |");
  expect(line(table, "two threads", "one thread")).toContain("| 1.6 | 1.9 | 1.50: **missed** |");
});

test("each machine has its newest record, in the order of their names", () => {
  const of = (name, ended) => ({ record: { machine: { name }, ended } });
  const found = newestOfEach([of("b", "3"), of("a", "2"), of("b", "1")]);
  expect(found.map(({ record }) => [record.machine.name, record.ended])).toEqual([
    ["a", "2"],
    ["b", "3"],
  ]);
});
