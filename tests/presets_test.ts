/** Presets' networks and losses at their true sizes, by the kernels that this machine chooses. */
import { CASES, checkPreset } from "./presets.ts";

for (const each of CASES) checkPreset(each);
