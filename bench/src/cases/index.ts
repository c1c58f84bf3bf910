/** Every family of cases, in the order of reports: a new one is one file and one line. */
import type { Case, Family } from "../case.ts";

export const families: readonly Family[] = [];

export const allCases = (): readonly Case[] => families.flatMap((family) => family.cases);

/** @throws Error where no family has that name */
export function familyOf({ family: name }: Pick<Case, "family">): Family {
  const found = families.find((family) => family.name === name);
  if (!found) throw new Error(`no family ${name}; there are ${families.map((family) => family.name).join(", ")}`);
  return found;
}
