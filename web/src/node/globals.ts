/** Makes the globals of Node look like those of a tab's worker, so that a function meets the same world in both. */

/** Packages take their presence for leave to call `require('fs')`. */
const OF_NODE_ONLY = ['process', 'Buffer', 'setImmediate', 'clearImmediate', 'require', 'module'];

export function likeATab(): void {
  const world = globalThis as Record<string, unknown>;
  for (const name of OF_NODE_ONLY) delete world[name];
  world.self = globalThis;
  if (!world.navigator) world.navigator = { userAgent: 'Pando', language: 'en', hardwareConcurrency: 1, onLine: true };
}
