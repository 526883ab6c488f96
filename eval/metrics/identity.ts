import { eachRow } from "../distances.ts";
import type { Features } from "../products.ts";
import type { Metric } from "./metric.ts";

const SAME = 0.6; // one person's images lie within this, as the network was trained

/** How far the faces of all pairs lie apart, and which share of the pairs shows two persons. */
async function apart(faces: Features): Promise<{ value: number; distance: number }> {
  const n = faces.count, pairs = n * (n - 1) / 2;
  let others = 0, total = 0;
  await eachRow(faces, faces, (i, j0, { count, values }) => {
    for (let c = Math.max(0, i + 1 - j0); c < count; c++) {
      const distance = Math.sqrt(Math.max(0, values[c]));
      total += distance;
      if (distance >= SAME) others++;
    }
  });
  return { value: others / pairs, distance: total / pairs };
}

/** Whether the fakes are of many persons. */
export const identity: Metric = {
  name: "identity",
  label: "Identity",
  about: "of faces: share of pairs that show two persons, and their mean distance",
  source: "King 2017, https://github.com/davisking/dlib-models: distances of 0.6 and more",
  input: "features",
  of: "face",
  needs: [],
  numbers: { value: "more", distance: "more" },
  floor: true,
  measure: async ({ fake }) => ({ ...await apart(fake), same: SAME }),
};
