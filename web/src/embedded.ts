/**
 * A core of the embedded engine: the same bundle as in a tab, in a process of Pando's own program.
 * The engine has the language only, so the globals that functions need are made here. The program
 * gives the frames of the host, the time and random bytes.
 */

import { listener, native, timers } from './embedded/world.ts';
import { EmbeddedAssets } from './embedded/assets.ts';
import { Runtime } from './core/runtime.ts';
import { binary } from './embedded/native.ts';
import type { Script } from './embedded/native.ts';
import type { ToNativeCore } from './node/core-messages.ts';

declare const PANDO_VERSION: string;

const world = globalThis as unknown as {
  __pandoScript?: Script;
  __pandoHost: object;
};

let code = '';
let assets: EmbeddedAssets | undefined;
/** Rejected promises without a handler, and their reasons. */
const unhandled = new Map<Promise<unknown>, unknown>();

const runtime = new Runtime(
  {
    now: native.now,
    tick: Date.now,
    post: (message) => native.message(JSON.stringify(message)),
    results: (frame) => native.results(binary(frame)),
    // The program has written each frame before it returns.
    awaitDrain: () => false,
    infersStart: false,
    setTimer: (run, ms) => timers.add(run, ms, false),
    clearTimer: (timer) => timers.remove(timer),
  },
  PANDO_VERSION,
  () => {
    Object.assign(world.__pandoHost, { device: 'this machine', assets });
    native.run(code, 'function.js');
  },
  false,
);

const uncaught = (error: unknown): void => runtime.uncaught(error);
listener.uncaught = uncaught;

world.__pandoScript = {
  message: (text) => {
    const message = JSON.parse(text) as ToNativeCore;
    if (message.type === 'asset' && assets) assets.answered(message.id, message.error);
    if (message.type !== 'init') return;
    code = message.code || '';
    if (message.assets) assets = new EmbeddedAssets(message.assets, native);
    void runtime.init(message.options);
  },
  values: (frame) => runtime.values(frame),
  untilTimer: () => timers.untilNext(),
  runTimers: () => timers.runNext(),
  uncaught,
  rejection: (promise, reason, isHandled) => {
    if (isHandled) unhandled.delete(promise);
    else unhandled.set(promise, reason);
  },
  idle: () => {
    const reasons = [...unhandled.values()];
    unhandled.clear();
    reasons.forEach(uncaught);
  },
};

// The program may limit this process before the function comes.
native.message(JSON.stringify({ type: 'booted' }));
