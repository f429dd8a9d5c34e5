/** The globals of the embedded engine, which has the language and nothing else. */

import { blobGlobals } from './blob.ts';
import { structuredClone } from './clone.ts';
import { bytesOf, encodingGlobals } from './encoding.ts';
import { eventGlobals } from './events.ts';
import type { Native } from './native.ts';
import { timerGlobals } from './timers.ts';
import type { Timers } from './timers.ts';
import { URL, URLSearchParams } from './url.ts';

const MOST_RANDOM = 65_536;

/** Sets the globals that a tab's worker has. */
export function setGlobals(native: Native, timers: Timers): void {
  const startedAt = Date.now() - native.now();
  const globals: Record<string, unknown> = {
    self: globalThis,
    console: {},
    performance: { now: () => native.now(), timeOrigin: startedAt },
    crypto: cryptoOf(native),
    navigator: {
      userAgent: 'Pando',
      language: 'en',
      hardwareConcurrency: 1,
      onLine: true,
    },
    importScripts: () => {
      throw new Error(
        'importScripts() is not available here: what the function needs is in its bundle',
      );
    },
    structuredClone,
    URL,
    URLSearchParams,
    ...blobGlobals,
    ...eventGlobals,
    ...encodingGlobals(native),
    ...timerGlobals(timers),
  };
  for (const name of Object.keys(globals)) {
    const value = globals[name];
    Object.defineProperty(globalThis, name, { value, configurable: true, writable: true });
    // As in browsers, objects of these classes tell their class.
    const { prototype } = value as { prototype?: object };
    if (prototype && !(Symbol.toStringTag in prototype))
      Object.defineProperty(prototype, Symbol.toStringTag, { value: name, configurable: true });
  }
  (globalThis as Record<string, unknown>).location = new URL('http://localhost/function.js');
}

function cryptoOf(native: Native): object {
  const random = (view: ArrayBufferView): ArrayBufferView => {
    if (!ArrayBuffer.isView(view)) throw new TypeError('getRandomValues takes a typed array');
    if (view.byteLength > MOST_RANDOM)
      throw new Error(`getRandomValues fills at most ${MOST_RANDOM} bytes`);
    bytesOf(view).set(native.random(view.byteLength));
    return view;
  };
  const randomUUID = (): string => {
    const bytes = native.random(16);
    bytes[6] = (bytes[6] & 15) | 64;
    bytes[8] = (bytes[8] & 63) | 128;
    const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
    return [0, 8, 12, 16, 20].map((at, i, all) => hex.slice(at, all[i + 1])).join('-');
  };
  return { getRandomValues: random, randomUUID };
}
