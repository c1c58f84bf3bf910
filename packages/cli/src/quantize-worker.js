// A thread of `lowbit quantize`: a file of its own, which does what the bundle says.
import { quantizeThread } from "./index.js";

await quantizeThread();
