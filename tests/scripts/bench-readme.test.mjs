import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { newestRecord, withTables } from "../../scripts/bench-readme.mjs";

const folder = mkdtempSync(join(tmpdir(), "lowbit-record-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const report = {
  benchTable: (record, choice) => `table ${record.started} ${JSON.stringify(choice)}`,
  benchSource: (_, link, platform) => `source ${link} ${platform}`,
};
const text = "a\n<!-- bench platform=node24 families=x,y -->\nold\n<!-- /bench -->\nb\n";

test("what stands between markers becomes the record's, and nothing else changes", () => {
  const written = withTables(text, report, { record: { started: "now" }, link: "r.json" });
  expect(written).toBe(
    'a\n<!-- bench platform=node24 families=x,y -->\ntable now {"platform":"node24","families":["x","y"]}\n\nsource r.json node24\n<!-- /bench -->\nb\n',
  );
  expect(withTables(written, report, { record: { started: "now" }, link: "r.json" })).toBe(written);
  expect(withTables(written, report, { record: { started: "then" }, link: "r.json" })).not.toBe(written);
});

test("a marker must name its platform", () => {
  expect(() => withTables(text.replace("platform=node24 ", ""), report, { record: {}, link: "" })).toThrow(/platform/);
});

test("the newest record is the one that ended last", () => {
  expect(newestRecord(join(folder, "none"))).toBeUndefined();
  for (const [machine, ended] of [
    ["a", "2026-01-02"],
    ["b", "2026-01-03"],
    ["c", "2026-01-01"],
  ]) {
    mkdirSync(join(folder, machine), { recursive: true });
    writeFileSync(join(folder, machine, "x.json"), JSON.stringify({ ended }));
  }
  expect(newestRecord(folder).record.ended).toBe("2026-01-03");
});
