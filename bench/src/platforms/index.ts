/** Every platform, in the order of reports. */
import { chromium } from "./chromium.ts";
import { firefox } from "./firefox.ts";
import type { Platform } from "./platform.ts";
import { runtimes } from "./runtimes.ts";
import { webkit } from "./webkit.ts";

export const platforms: readonly Platform[] = [...runtimes, chromium, firefox, webkit];

export type { Launcher, Platform, Running } from "./platform.ts";
