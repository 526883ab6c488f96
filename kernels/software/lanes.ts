import wgsl from "./lanes.wgsl" with { type: "text" };
import type { Plan } from "../plan.ts";

/** The part that maps invocations to rows and columns, and the values of a plan for CPU devices. */
export function lanes({ MR, NV, KU, single: SINGLE, wx: WX, wy: WY, wz: WZ, share }: Plan) {
  const SHARE_A = share === "A", LANES = WX * WY;
  let TURN = Math.min(MR, Math.max(1, Math.floor(8 / NV))); // rows that are stored in a turn of a loop
  while (MR % TURN) TURN--;
  return {
    values: { MR, NV, KU, SINGLE, WX, WY, WZ, LANES, SHARE_A, TURN },
    parts: { lanes: { name: "lanes.wgsl", text: wgsl } },
  };
}
