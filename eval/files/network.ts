import type { Feature } from "../extract.ts";
import { loadFace } from "./face_weights.ts";
import { type LoadedNetwork, loadInception } from "./weights.ts";

/**
 * Reads the network that computes a feature.
 *
 * @param path Its file; by default the published one, where it is usually found.
 * @throws {EvalError} If there is no such file; the message tells how to come by it.
 * @throws {CheckpointError} If the file is broken, or of another network.
 */
export function loadNetwork(feature: Feature, path?: string): Promise<LoadedNetwork> {
  return feature === "face" ? loadFace(path) : loadInception(feature, path);
}
