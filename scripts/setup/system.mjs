// Debian's packages: only what is missing, only as root, announced in one line, one call of apt-get at a time.

import { run, which } from "./run.mjs";
import { report, SetupError } from "./steps.mjs";

/** Whether this process may install system packages. */
export const canInstallSystemPackages = () =>
  process.platform === "linux" && process.getuid?.() === 0 && which(["apt-get"]) !== undefined;

let queue = Promise.resolve();
let updated = false;

/** Installs Debian packages; resolves once they are there. */
export function installSystemPackages(packages, advice) {
  if (!canInstallSystemPackages())
    return Promise.reject(new SetupError(advice, new Error(`${packages.join(", ")} missing`)));
  queue = queue.then(async () => {
    report("+", "system packages", `apt-get install ${packages.join(" ")}`);
    const env = { DEBIAN_FRONTEND: "noninteractive" };
    if (!updated) await run("apt-get", ["update", "-q"], { env, log: "apt-update", timeout: 180 });
    updated = true;
    await run("apt-get", ["install", "-y", "-q", "--no-install-recommends", ...packages], {
      env,
      log: "apt-install",
      timeout: 600,
    });
  });
  const mine = queue;
  queue = queue.catch(() => {});
  return mine;
}
