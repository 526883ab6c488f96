/**
 * What a set of images is like, as far as it moves distances.
 *
 * @module
 */
import type { Pillowed } from "./files/as_pillow.ts";

/** Counts of images. */
export interface Survey {
  /** By `89 x 109`, width first. */
  sizes: Record<string, number>;
  jpeg: number;
  alpha: number;
  sixteenBits: number;
}

/** Of nothing. */
export function newSurvey(): Survey {
  return { sizes: {}, jpeg: 0, alpha: 0, sixteenBits: 0 };
}

/** Of images that are all squares of `R` pixels, prepared or generated. */
export function surveyOf(count: number, R: number): Survey {
  return { ...newSurvey(), sizes: { [`${R} x ${R}`]: count } };
}

/** Counts one more. */
export function record(survey: Survey, image: Pillowed): void {
  const size = `${image.width} x ${image.height}`;
  survey.sizes[size] = (survey.sizes[size] ?? 0) + 1;
  if (image.kind === "JPEG") survey.jpeg++;
  if (image.alpha) survey.alpha++;
  if (image.sixteenBits) survey.sixteenBits++;
}

/** The sizes, most frequent first. */
export function sizesOf({ sizes }: Survey): [size: string, count: number][] {
  return Object.entries(sizes).sort(([, a], [, b]) => b - a);
}
