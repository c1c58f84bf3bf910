/** Makes every case's checksum from the naive sums: minutes of plain loops, once per new case. */
import { type Case, checksum, type Kernels } from "./case.ts";
import { familyOf } from "./cases/index.ts";

/** The checksum of the exact answer, from nothing but the naive sums. */
export function naiveChecksum(of: Case): string {
  const family = familyOf(of);
  const tensors = family.tensors(of);
  return checksum(family.result(of, tensors, family.sums(of, tensors)));
}

/** Of a network: what our kernels answer. Asked of the scalar tier, which is the specification of all others. */
export async function kernelChecksum(of: Case, kernels: Kernels): Promise<string> {
  const family = familyOf(of);
  const prepared = await family.kernel(kernels, of, family.tensors(of));
  await prepared.run();
  const { data } = await prepared.answer();
  prepared.dispose();
  return checksum(data as Float32Array);
}
