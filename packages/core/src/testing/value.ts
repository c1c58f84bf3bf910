/** What the reference interpreter computes with. */
export * from "../ops/reference.ts";
