/** WordNet's data files: lines as the package wordnet-base 3.0 has them, and the whole where it is installed. */
import { existsSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { Definitions, writeDefinitions } from "../src/definitions.ts";
import { heldOut } from "../src/site/vectors.ts";
import { parseCounts, parseSynsets, readLicense, readWordNet, splitGloss } from "../src/site/wordnet.ts";

const folder = "/usr/share/wordnet";

const verbs = `  1 This software and database is being provided to you, the LICENSEE, by
00001740 29 v 04 breathe 0 take_a_breath 0 respire 0 suspire 3 002 * 00005041 v 0000 $ 00002325 v 0000 02 + 02 00 + 08 00 | draw air into, and expel out of, the lungs; "I can breathe better when the air is clean"; "The patient is respiring"
00002325 29 v 01 respire 1 000 01 + 02 00 | undergo the biomedical and metabolic processes of respiration
`;

describe("glosses", () => {
  it.each([
    ["suck in (air)", "suck in (air)", []],
    [
      'heave or utter a sigh; breathe deeply and heavily; "She sighed sadly"',
      "heave or utter a sigh; breathe deeply and heavily",
      ["She sighed sadly"],
    ],
    ['quick; "so soon; so fast"; fast', "quick; fast", ["so soon; so fast"]],
    ['of great worth; "a pearl";- Shakespeare', "of great worth", ["a pearl"]],
    ['progress (as in "make strides")', 'progress (as in "make strides")', []],
    ['left open; "a quotation without an end', "left open", ["a quotation without an end"]],
    ['"what there is"', "what there is", []],
  ])("%s", (text, gloss, examples) => {
    expect(splitGloss(text)).toEqual({ gloss, examples });
  });
});

describe("data files", () => {
  it("synsets give words in order, glosses, examples and uses", () => {
    const counts = parseCounts("breathe%2:29:00:: 1 25\nrespire%2:29:01:: 2 3\nrespire%2:29:00:: 1 4\n");
    expect(parseSynsets(verbs, { file: "data.verb", pos: "v", counts })).toEqual([
      {
        pos: "v",
        words: ["breathe", "take a breath", "respire", "suspire"],
        gloss: "draw air into, and expel out of, the lungs",
        examples: ["I can breathe better when the air is clean", "The patient is respiring"],
        uses: 29,
      },
      {
        pos: "v",
        words: ["respire"],
        gloss: "undergo the biomedical and metabolic processes of respiration",
        examples: [],
        uses: 3,
      },
    ]);
  });

  it("adjectives lose the mark of where they stand, ids are hexadecimal, and heads of satellites count for the word", () => {
    const line = "00014858 00 s 02 teeming(p) a pissed_off(ip) 0 000 | abundantly filled\n";
    const counts = parseCounts("teeming%5:00:10:full:00 1 7\n");
    const [only] = parseSynsets(line, { file: "data.adj", pos: "a", counts });
    expect(only).toMatchObject({ words: ["teeming", "pissed off"], uses: 7 });
  });

  it.each(["0000174 29 v 01 breathe 0 000 | draw air", "00001740 29 x 01 breathe 0 000 | draw air", "half a line"])(
    "refuses %s by file",
    (line) => {
      const options = { file: "data.verb", pos: "v", counts: new Map() } as const;
      expect(() => parseSynsets(line, options)).toThrow(/^data\.verb: expected a synset, got/);
    },
  );
});

describe("definitions of a page", () => {
  it("come back line by line", () => {
    const all = [
      { pos: "n", words: ["dog", "domestic dog"], gloss: "a member of the genus Canis" },
      { pos: "a", words: ["naïve"], gloss: "“too” trusting" },
    ];
    const read = new Definitions(new TextEncoder().encode(writeDefinitions(all)));
    expect(read.count).toBe(2);
    expect([read.at(0), read.at(1)]).toEqual(all);
  });

  it("sentences held out are spread over all of them, and each has four words at least", () => {
    const all = Array.from({ length: 1000 }, (_, i) => ({
      ...{ pos: "n" as const, words: ["x"], gloss: "x", uses: 0 },
      examples: ["too short", `this is sentence ${i}`],
    }));
    const found = heldOut(all, 100);
    expect(found).toHaveLength(100);
    expect(new Set(found).size).toBe(100);
    expect(found.slice(0, 2)).toEqual(["this is sentence 0", "this is sentence 10"]);
  });
});

describe.skipIf(!existsSync(`${folder}/data.noun`))("WordNet 3.0 (Debian's wordnet-base)", () => {
  it("has 117,659 definitions, the most usual first, and its licence", async () => {
    const all = await readWordNet(folder);
    expect(all).toHaveLength(117_659);
    expect(
      all.every(({ gloss, words }) => gloss !== "" && words.length > 0 && !words.some((w) => /[_|\t]/.test(w))),
    ).toBe(true);
    expect(all.some(({ gloss }) => /[\t\n]/.test(gloss))).toBe(false);
    // One gloss of WordNet lacks a quotation mark.
    expect(all.filter(({ gloss }) => /; "/.test(gloss))).toHaveLength(1);
    expect(all[0]).toMatchObject({ pos: "v", words: ["be"] });
    const dog = all.findIndex(({ words }) => words.includes("domestic dog"));
    expect(dog).toBeLessThan(5_000);
    expect(all[dog]).toMatchObject({ pos: "n", words: ["dog", "domestic dog", "Canis familiaris"] });
    const license = await readLicense(folder);
    expect(license).toContain("WordNet 3.0 Copyright 2006 by Princeton University");
    expect(license).not.toMatch(/^\d/m);
  });
});
