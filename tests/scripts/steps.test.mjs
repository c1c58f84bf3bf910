import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { performAll, SetupError } from "../../scripts/setup/steps.mjs";

let stamps;
let said;
beforeEach(() => {
  stamps = mkdtempSync(join(tmpdir(), "lowbit-stamps-"));
  said = [];
  for (const name of ["log", "error"]) vi.spyOn(console, name).mockImplementation((text = "") => said.push(text));
});
afterEach(() => {
  vi.restoreAllMocks();
  rmSync(stamps, { recursive: true, force: true });
});

/** A step that counts how often it installed. */
function counted(name, extra = {}) {
  const step = { name, version: () => "1", advice: `mend ${name}`, installs: 0, ...extra };
  step.install ??= async () => {
    step.installs++;
  };
  return step;
}

test("a step runs once; its stamp makes the next run leave it alone", async () => {
  const step = counted("tool");
  expect(await performAll([step], stamps)).toBe(true);
  expect(await performAll([step], stamps)).toBe(true);
  expect(step.installs).toBe(1);
});

test("another version, or a product that is gone, makes a step run again", async () => {
  const step = counted("tool");
  await performAll([step], stamps);
  step.version = () => "2";
  await performAll([step], stamps);
  expect(step.installs).toBe(2);
  step.present = () => false;
  await performAll([step], stamps);
  expect(step.installs).toBe(3);
});

test("a step waits for those it needs, others run side by side", async () => {
  const order = [];
  const slow = (name, needs) =>
    counted(name, {
      needs,
      install: async () => {
        order.push(`${name} begins`);
        await new Promise((resolve) => setTimeout(resolve, 20));
        order.push(`${name} ends`);
      },
    });
  await performAll([slow("c", ["a"]), slow("a"), slow("b")], stamps);
  expect(order.slice(0, 2).sort()).toEqual(["a begins", "b begins"]);
  expect(order.indexOf("c begins")).toBeGreaterThan(order.indexOf("a ends"));
});

test("a failure shows the end of the output and what to do, leaves no stamp, and stops what needs the step", async () => {
  const broken = counted("broken", {
    install: async () => {
      throw Object.assign(new Error("ended with 1"), { output: "many lines\nthe last line" });
    },
  });
  const after = counted("after", { needs: ["broken"] });
  expect(await performAll([broken, after], stamps)).toBe(false);
  const text = said.join("\n");
  expect(text).toContain("the last line");
  expect(text).toContain("mend broken");
  expect(after.installs).toBe(0);
  broken.install = async () => {
    broken.installs++;
  };
  await performAll([broken], stamps);
  expect(broken.installs).toBe(1);
});

test("a step's own advice is preferred to the general one", async () => {
  const step = counted("tool", {
    install: () => Promise.reject(new SetupError("install the compiler", new Error("no compiler"))),
  });
  expect(await performAll([step], stamps)).toBe(false);
  expect(said.join("\n")).toContain("install the compiler");
});

test("an optional step may fail; it is named and tried again next time", async () => {
  const step = counted("extra", { optional: true, install: () => Promise.reject(new Error("no network")) });
  expect(await performAll([step], stamps)).toBe(true);
  expect(said.join("\n")).toContain("not to be had here: no network");
  step.install = async () => {
    step.installs++;
  };
  await performAll([step], stamps);
  expect(step.installs).toBe(1);
});
