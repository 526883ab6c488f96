/**
 * Every metric: a file of this folder each, and a line here.
 *
 * @module
 */
import { authenticity } from "./authenticity.ts";
import { ctMetric } from "./ct_score.ts";
import { fdInfinity } from "./fd_infinity.ts";
import { fid } from "./fid.ts";
import { identity } from "./identity.ts";
import { is } from "./is.ts";
import { kid } from "./kid.ts";
import type { Metric } from "./metric.ts";
import { mind } from "./mind.ts";
import { pr } from "./pr.ts";
import { vendi } from "./vendi.ts";

/** In the order of tables. */
export const METRICS: readonly Metric[] = [
  fid,
  fdInfinity,
  kid,
  mind,
  is,
  pr,
  vendi,
  identity,
  authenticity,
  ctMetric,
];

/** The metric of that name; undefined if there is none. */
export function metricOf(name: string): Metric | undefined {
  return METRICS.find((metric) => metric.name === name);
}

/** Its name in reports: only what looks at 2048 features, or at logits, goes without their number. */
export function labelOf({ label, input }: Metric, feature: string): string {
  return input === "logits" || feature === "2048" ? label : `${label}-${feature}`;
}
