/** Makes the globals of Node look like those of a tab's worker, so that a function meets the same world in both. */

import { compileFunction } from 'node:vm';

/**
 * What only Node has: packages take its presence for leave to call `require('fs')`. It is hidden from the bundle rather than
 * taken away, since Node's own `fetch` needs it.
 */
const OF_NODE_ONLY = ['process', 'Buffer', 'setImmediate', 'clearImmediate', 'require', 'module', 'exports'];

export function likeATab(): void {
  const world = globalThis as Record<string, unknown>;
  world.self = globalThis;
  // What Emscripten's output and others ask to know a worker by.
  world.importScripts = () => {
    throw new Error('importScripts() is not available here: what the function needs is in its bundle');
  };
  world.location = new URL('http://localhost/function.js');
  if (!world.navigator) world.navigator = { userAgent: 'Pando', language: 'en', hardwareConcurrency: 1, onLine: true };
}

/** Runs the bundle, a classic script, with nothing of Node's in sight. */
export function runBundle(code: string): void {
  compileFunction(code, OF_NODE_ONLY, { filename: 'function.js' }).call(globalThis);
}
