/**
 * Makes the globals of Node look like the globals of a tab's worker, so that a function finds the
 * same environment in both.
 */

import { compileFunction } from 'node:vm';

/**
 * Names of the globals of Node, Deno and Bun. Packages take their presence as permission to call
 * `require('fs')`. The bundle sees no such names, but the globals stay, because Node's own
 * `fetch` needs some.
 */
const OF_NODE_ONLY = [
  'process',
  'Deno',
  'Bun',
  'Buffer',
  'setImmediate',
  'clearImmediate',
  'require',
  'module',
  'exports',
];

export function imitateTab(): void {
  const world = globalThis as Record<string, unknown>;
  world.self = globalThis;
  // Emscripten's output and other scripts recognize a worker by `importScripts`.
  world.importScripts = () => {
    throw new Error(
      'importScripts() is not available here: what the function needs is in its bundle',
    );
  };
  world.location = new URL('http://localhost/function.js');
  if (!world.navigator)
    world.navigator = { userAgent: 'Pando', language: 'en', hardwareConcurrency: 1, onLine: true };
}

/** Runs the bundle, a classic script, without access to Node's globals. */
export function runBundle(code: string): void {
  compileFunction(code, OF_NODE_ONLY, { filename: 'function.js' }).call(globalThis);
}
