/** Makes every case's checksum from the naive sums: minutes of plain loops, once per new case. */
import { type Case, checksum } from "./case.ts";
import { familyOf } from "./cases/index.ts";

/** The checksum of the exact answer, from nothing but the naive sums. */
export function naiveChecksum(of: Case): string {
  const family = familyOf(of);
  const tensors = family.tensors(of);
  return checksum(family.result(of, tensors, family.sums(of, tensors)));
}
