import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { withTables } from "../../scripts/bench-readme.mjs";
import { recordsOf } from "../../scripts/bench-records.mjs";

const folder = mkdtempSync(join(tmpdir(), "lowbit-record-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const report = {
  benchTable: (record, choice) => `table ${record.started} ${JSON.stringify(choice)}`,
  benchSource: (_, link, platform) => `source ${link} ${platform}`,
};
const text = "a\n<!-- bench platform=node24 families=x,y -->\nold\n<!-- /bench -->\nb\n";

const of = (started, machine = "a") => ({
  path: join(folder, "r.json"),
  record: { started, machine: { name: machine } },
});
const tables = (text, ...records) => withTables(text, report, records, folder);

test("what stands between markers becomes the record's, and nothing else changes", () => {
  const written = tables(text, of("now"), of("before"));
  expect(written).toBe(
    'a\n<!-- bench platform=node24 families=x,y -->\ntable now {"platform":"node24","families":["x","y"]}\n\nsource r.json node24\n<!-- /bench -->\nb\n',
  );
  expect(tables(written, of("now"))).toBe(written);
  expect(tables(written, of("then"))).not.toBe(written);
});

test("a marker may name a machine, which must have a record", () => {
  const named = text.replace("platform", "machine=b platform");
  expect(tables(named, of("now"), of("then", "b"))).toMatch(/table then/);
  expect(() => tables(named, of("now"))).toThrow(/machine=b/);
});

test("a marker must name its platform", () => {
  expect(() => tables(text.replace("platform=node24 ", ""), of("now"))).toThrow(/platform/);
});

test("the newest record comes first", () => {
  expect(recordsOf(join(folder, "none"))).toEqual([]);
  for (const [machine, ended] of [
    ["a", "2026-01-02"],
    ["b", "2026-01-03"],
    ["c", "2026-01-01"],
  ]) {
    mkdirSync(join(folder, machine), { recursive: true });
    writeFileSync(join(folder, machine, "x.json"), JSON.stringify({ ended }));
  }
  expect(recordsOf(folder).map(({ record }) => record.ended)).toEqual(["2026-01-03", "2026-01-02", "2026-01-01"]);
});
