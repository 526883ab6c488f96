import { Ledger, type LossMeans } from "./ledger.ts";
import type { State } from "./state.ts";
import type { Observer } from "./training.ts";

/**
 * An observer that tells how a run goes, and keeps nothing.
 *
 * @param tell Is given the images shown and the means of the losses since it was told last.
 * @param every Milliseconds from one time to the next.
 */
export function watch(
  state: State,
  tell: (images: number, means: LossMeans) => void,
  every = 1000,
): Observer {
  const ledger = new Ledger(4096);
  let told = performance.now();
  return {
    losses: (losses) => ledger.note(losses),
    stepped: async ({ last }) => {
      if (!last && !ledger.full && performance.now() - told < every) return;
      const means = await ledger.read();
      told = performance.now();
      if (means) tell(state.images, means);
    },
    end: () => Promise.resolve(ledger.free()),
  };
}
