/**
 * Times what each dispatch takes on the device.
 *
 * @module
 */
import { gpu } from "./gpu.ts";
import { idle } from "./record.ts";
import { Stopwatch, timed, type Timing, timingOf } from "./stopwatch.ts";

/**
 * Runs `body` with a timestamp around every dispatch, which is slower.
 *
 * Where the clock is coarse, `body` runs several times with dispatches repeated, which spoils what is
 * updated in place.
 *
 * @param mayRepeat False keeps results correct at the clock's own precision.
 */
export async function profile(body: () => void, mayRepeat = true): Promise<Timing[]> {
  const g = gpu();
  await idle(g);
  const laps = async (repeats: readonly number[]) => {
    const stopwatch = g.stopwatch = new Stopwatch(g.device, repeats);
    try {
      g.use(body);
      await idle(g);
      return await stopwatch.laps();
    } finally {
      stopwatch.destroy();
      g.stopwatch = undefined;
    }
  };
  return mayRepeat ? await timed(laps) : (await laps([])).map((lap) => timingOf(lap));
}
