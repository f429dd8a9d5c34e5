/**
 * The world of the script: what the program gives, and the globals. This module runs before those
 * that use the globals when they load.
 */

import { setGlobals } from './globals.ts';
import type { Native } from './native.ts';
import { Timers } from './timers.ts';

const given = globalThis as unknown as { __pandoNative?: Native };

export const native = given.__pandoNative as Native;
delete given.__pandoNative;

/** Who hears of errors that nobody caught. */
export const listener = { uncaught: (error: unknown): void => void error };

export const timers = new Timers(native.now, (error) => listener.uncaught(error));

setGlobals(native, timers);
