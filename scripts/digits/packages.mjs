/** The built packages, as their users get them. */

export * as report from "../../packages/cli/dist/report/index.js";
export * as convert from "../../packages/convert/dist/index.js";
export * as lowbit from "../../packages/core/dist/index.js";
export * as train from "../../packages/train/dist/index.js";
