/**
 * What the runs of experiments tell of the thesis's claims.
 *
 * @module
 */
import type { Claim, Experiment, MeasureName, Variant } from "./experiments.ts";
import type { Measure } from "./measures.ts";
import { jobOf, type Scale } from "./plan.ts";
import type { Made } from "./runs.ts";
import { LEAST_STEPS, type Verdict, verdictOn } from "./verdict.ts";

/** A variant with its runs so far. */
export interface Tried {
  readonly name: string;
  readonly variant: Variant;
  /** By seed; undefined where there is none yet. */
  readonly runs: readonly (Made | undefined)[];
  /** What two experiments have in common has one key. */
  readonly key: string;
  /** Images that are shown for one step of G. */
  readonly imagesAStep: number;
}

/** A claim, and whether measurements agree. */
export interface Judged {
  readonly claim: Claim;
  readonly verdict: Verdict;
}

/** What has come of an experiment. */
export interface Finding {
  readonly experiment: Experiment;
  readonly tried: readonly Tried[];
  readonly judged: readonly Judged[];
  /** Of a question of ours: each variant's evaluation against that of one, by the variants' names. */
  readonly compared: ReadonlyMap<string, Verdict>;
}

/** Runs of a variant that are finished. */
export function finished({ runs }: Tried): Made[] {
  return runs.filter((run): run is Made => run?.state === "finished");
}

/** A measure of the finished runs, a number for each seed. */
export function valuesOf(tried: Tried, measure: Measure): number[] {
  return finished(tried).map(({ stats }) => measure.of(stats))
    .filter((value) => value !== undefined);
}

/** Looks up an experiment's runs and judges its claims. */
export function findingOf(
  experiment: Experiment,
  scale: Scale,
  made: ReadonlyMap<string, Made>,
  measures: Readonly<Record<MeasureName, Measure>>,
): Finding {
  const tried = Object.entries(experiment.variants).map(([name, variant]) => {
    const jobs = Array.from(
      { length: scale.seeds },
      (_, seed) => jobOf(experiment, variant, seed, scale),
    );
    const [{ key, options: { batch, dSteps } }] = jobs, imagesAStep = batch * dSteps;
    return { name, variant, runs: jobs.map(({ key }) => made.get(key)), key, imagesAStep };
  });
  const verdict = (claim: Omit<Claim, "says">) =>
    judge(experiment, claim, tried, measures[claim.measure], scale);
  const judged = experiment.claims.map((claim) => ({ claim, verdict: verdict(claim) }));
  const against = experiment.ours?.against;
  const compared = new Map(
    tried.filter(({ name }) => against !== undefined && name !== against).map(({ name }) =>
      [name, verdict({ measure: "fid", better: name, than: [against!] })] as const
    ),
  );
  return { experiment, tried, judged, compared };
}

function judge(
  experiment: Experiment,
  { better, than, denied }: Omit<Claim, "says">,
  tried: readonly Tried[],
  measure: Measure,
  scale: Scale,
): Verdict {
  const values = (name: string) => valuesOf(tried.find((one) => one.name === name)!, measure);
  const others = Object.fromEntries(than.map((name) => [name, values(name)]));
  const verdict = verdictOn({ better: measure.better, a: values(better), others, denied });
  const limit = limitOf(
    experiment,
    tried.filter(({ name }) => [better, ...than].includes(name)),
    scale,
  );
  if (verdict.word === "not run yet" || limit === undefined) return verdict;
  return { word: "cannot be told", why: `${limit}; ${verdict.why}` };
}

/** Why nothing is told whatever the numbers are; undefined if they tell something. */
function limitOf(
  { resolution: claimed }: Experiment,
  tried: readonly Tried[],
  { resolution = claimed }: Scale,
): string | undefined {
  if (resolution !== claimed) {
    return `measured at ${resolution} pixels, and the claim is about ${claimed}`;
  }
  const steps = Math.min(
    ...tried.flatMap((one) =>
      finished(one).map(({ images }) => Math.ceil(images / one.imagesAStep))
    ),
  );
  return steps < LEAST_STEPS ? `after ${steps} steps of G, fewer than ${LEAST_STEPS}` : undefined;
}
