/**
 * A core of the master's own machine: a child of Node with the same bundle as the tabs. Its host
 * is connected to file descriptor 0. Standard output and standard error carry only stray prints.
 */

import process from 'node:process';
import { Worker } from 'node:worker_threads';
import { renameInStacks } from './core/convert.ts';
import { Runtime } from './core/runtime.ts';
import { FolderOfAssets } from './node/assets.ts';
import { imitateTab, runBundle } from './node/globals.ts';
import { HostSocket } from './node/socket.ts';
import type { ToNativeCore } from './node/core-messages.ts';

declare const PANDO_VERSION: string;

/** @spoken by functions */
const world = globalThis as unknown as { __pandoHost: object };

let code = '';
let assets: FolderOfAssets | undefined;

const socket = new HostSocket({
  json: (message) => hear(message as ToNativeCore),
  binary: (frame) => runtime.values(frame),
  drained: () => runtime.drained(),
  end: () => process.exit(0),
});

const runtime = new Runtime(
  {
    now: () => performance.now(),
    tick: Date.now,
    post: (message) => socket.json(message),
    results: (frame) => socket.binary(frame),
    awaitDrain: () => socket.awaitDrain(),
    infersStart: false,
    setTimer: setTimeout,
    clearTimer: (timer) => clearTimeout(timer as NodeJS.Timeout),
  },
  PANDO_VERSION,
  () => {
    Object.assign(world.__pandoHost, { device: 'this machine', assets });
    runBundle(code);
  },
  false,
);

function hear(message: ToNativeCore): void {
  if (message.type === 'init') begin(message);
  else if (message.type === 'asset' && assets) assets.answered(message.id, message.error);
}

function begin(message: ToNativeCore & { type: 'init' }): void {
  code = message.code || '';
  if (message.assets)
    assets = new FolderOfAssets(message.assets, (request) => socket.json(request));
  imitateTab();
  // Bun counts the line of the parameters, and a bundle mostly has one line.
  if ('Bun' in globalThis && !/\n./.test(code)) renameInStacks('function.js:2:', 'function.js:1:');
  // The watch starts first, because the function may never finish loading. A sandbox ends its core
  // itself.
  if (message.parent) watch(process.ppid, message.parent);
  void runtime.init(message.options);
}

process.on('uncaughtException', (error) => runtime.uncaught(error));
process.on('unhandledRejection', (error) => runtime.uncaught(error));

// The host may limit this process before the function comes.
socket.json({ type: 'booted' });

/**
 * Kills this process when its parent or the master is gone. The parent is the master, or a
 * version manager's `node` between both. A second thread watches, because an endless loop in the
 * function keeps this thread from seeing the end of its socket.
 */
function watch(parent: number, master: number): void {
  const watch = `
    const { parent, master } = require('worker_threads').workerData;
    const isGone = () => {
      if (process.ppid !== parent) return true;
      try { process.kill(master, 0); } catch (error) { return error.code === 'ESRCH'; }
    };
    setInterval(() => { if (isGone()) process.kill(process.pid, 'SIGKILL'); }, 500);`;
  const options = { eval: true, workerData: { parent, master }, stdin: false, env: {} };
  try {
    new Worker(watch, options).unref();
  } catch (error) {
    // Node's permission model refuses threads.
    process.stderr.write(`A second thread cannot start: ${(error as Error).message}\n`);
    process.stderr.write('Under the permission model of Node, --allow-worker permits threads\n');
    process.exit(1);
  }
}
