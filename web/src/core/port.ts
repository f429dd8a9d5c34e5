/**
 * Connects a core, in a worker or in a page, to the link through a MessagePort. The link is the
 * core's host.
 */

import { Runtime } from './runtime.ts';
import type { ToCore } from '../messages.ts';

/**
 * Serves a core on `port`; `load` runs the user's bundle. Returns the handler of uncaught errors.
 */
export function serve(
  port: MessagePort,
  version: string,
  load: () => void | Promise<void>,
): (error: unknown) => void {
  const runtime = new Runtime(
    {
      now: () => performance.now(),
      tick: Date.now,
      post: (message) => port.postMessage(message),
      results: (frame) => port.postMessage(frame.buffer, [frame.buffer]),
      awaitDrain: () => false,
      infersStart: true,
      setTimer: (run, ms) => setTimeout(run, ms),
      clearTimer: (timer) => clearTimeout(timer as number),
    },
    version,
    load,
    true,
  );
  port.onmessage = ({ data }: MessageEvent<ArrayBuffer | ToCore>) => {
    if (data instanceof ArrayBuffer) runtime.values(new Uint8Array(data));
    else if (data.type === 'init') void runtime.init(data.options);
    else runtime.forget();
  };
  return (error) => runtime.uncaught(error);
}

/** Passes every uncaught error of this thread to `uncaught`. */
export function hearErrors(uncaught: (error: unknown) => void): void {
  addEventListener('error', (event) => {
    event.preventDefault();
    uncaught(Object(event.error) === event.error ? event.error : errorOf(event));
  });
  addEventListener('unhandledrejection', (event) => {
    event.preventDefault();
    uncaught(event.reason);
  });
}

/** The description of an error event without an error object. */
function errorOf({ message, filename, lineno, colno }: ErrorEvent): {
  message: string;
  stack: string;
} {
  const stack = filename && `    at ${filename}:${lineno}:${colno}`;
  return { message: message.replace(/^uncaught (exception: )?/i, ''), stack };
}
