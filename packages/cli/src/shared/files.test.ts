import { mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setImmediate } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { checkOutput, openOutput, readInput, writeOutput } from "./files.ts";
import { Interrupt } from "./interrupt.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "lowbit-files-"));
});
afterEach(() => rm(folder, { recursive: true }));

const hasDevFull = await stat("/dev/full").then(
  () => true,
  () => false,
);

describe("readInput", () => {
  it("names a file that is missing, empty or a folder", async () => {
    const path = join(folder, "a");
    await expect(readInput(path)).rejects.toThrow(`${path}: no such file or folder`);
    await writeFile(path, "");
    await expect(readInput(path)).rejects.toThrow(`${path}: the file is empty`);
    await expect(readInput(folder)).rejects.toThrow(`${folder}: is a folder`);
  });
});

describe("checkOutput", () => {
  it("refuses OUT equal to IN, also through a link or another spelling", async () => {
    const input = join(folder, "in.onnx");
    await writeFile(input, "x");
    await symlink(input, join(folder, "link"));
    for (const output of [input, join(folder, ".", "sub", "..", "in.onnx"), join(folder, "link")])
      await expect(checkOutput(output, [input])).rejects.toThrow("would overwrite the input");
    await expect(checkOutput(join(folder, "out"), [input])).resolves.toBeUndefined();
  });

  it("names the folder that does not exist or is a file", async () => {
    await expect(checkOutput(join(folder, "no", "out"), [])).rejects.toThrow(`${join(folder, "no")}: no such file`);
    await writeFile(join(folder, "file"), "x");
    await expect(checkOutput(join(folder, "file", "out"), [])).rejects.toThrow(
      `${join(folder, "file")}: is not a folder`,
    );
    await expect(checkOutput(folder, [])).rejects.toThrow("is a folder");
  });
});

describe("writeOutput", () => {
  it("replaces a file and leaves nothing beside it", async () => {
    const path = join(folder, "out");
    await writeOutput(path, "first");
    await writeOutput(path, new Uint8Array([1, 2, 3]));
    expect([...(await readFile(path))]).toEqual([1, 2, 3]);
    expect(await readdir(folder)).toEqual(["out"]);
  });

  it("writes through a link instead of replacing it", async () => {
    await writeFile(join(folder, "real"), "old");
    await symlink(join(folder, "real"), join(folder, "link"));
    await writeOutput(join(folder, "link"), "new");
    expect(await readFile(join(folder, "real"), "utf8")).toBe("new");
    expect((await readdir(folder)).sort()).toEqual(["link", "real"]);
  });

  it("keeps the old file where the new one cannot be written", async () => {
    const path = join(folder, "out");
    await writeFile(path, "old");
    await expect(writeOutput(path, { length: 1 } as unknown as Uint8Array)).rejects.toThrow();
    expect(await readFile(path, "utf8")).toBe("old");
    expect(await readdir(folder)).toEqual(["out"]);
  });

  it.skipIf(!hasDevFull)("says that the disk is full (needs /dev/full)", async () => {
    await expect(writeOutput("/dev/full", "x")).rejects.toThrow("/dev/full: no space left on the disk");
  });
});

describe("Ctrl-C while a file is written", () => {
  const path = () => join(folder, "out");
  const exit = vi.spyOn(process, "exit").mockImplementation((() => {}) as never);
  vi.spyOn(process.stderr, "write").mockImplementation(() => true);
  beforeEach(() => {
    exit.mockClear();
  });

  it("ends the process and leaves nothing", async () => {
    const output = await openOutput(path());
    process.emit("SIGINT");
    expect(exit).toHaveBeenCalledWith(130);
    expect(await readdir(folder)).toEqual([]);
    await output.discard();
  });

  it("leaves the end to work that listens; a second one does not", async () => {
    const output = await openOutput(path());
    using interrupt = new Interrupt();
    process.emit("SIGINT");
    expect(interrupt.signal.aborted).toBe(true);
    expect(exit).not.toHaveBeenCalled();
    await output.write("whole");
    await output.finish();
    expect(await readFile(path(), "utf8")).toBe("whole");

    const other = await openOutput(path());
    await setImmediate();
    process.emit("SIGINT");
    expect(exit).toHaveBeenCalledWith(130);
    expect(await readdir(folder)).toEqual(["out"]);
    await other.discard();
  });
});
