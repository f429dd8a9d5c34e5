/** A core behind a MessagePort, in a worker or in a page: its host is the link at the other end. */

import { Runtime } from './runtime.ts';
import type { ToCore } from '../messages.ts';

/** Joins `port`; `load` runs the user's bundle. The answer takes errors that nobody caught. */
export function serve(port: MessagePort, version: string, load: () => void | Promise<void>): (error: unknown) => void {
  const runtime = new Runtime(
    {
      now: () => performance.now(),
      tick: Date.now,
      post: (message) => port.postMessage(message),
      results: (frame) => port.postMessage(frame.buffer, [frame.buffer]),
      congested: () => false,
      infers: true,
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

/** Hears of every error that nobody caught on this thread. */
export function hearErrors(uncaught: (error: unknown) => void): void {
  addEventListener('error', (event) => {
    event.preventDefault();
    uncaught(Object(event.error) === event.error ? event.error : spoken(event));
  });
  addEventListener('unhandledrejection', (event) => {
    event.preventDefault();
    uncaught(event.reason);
  });
}

/** What an event without an error object tells of it. */
function spoken({ message, filename, lineno, colno }: ErrorEvent): { message: string; stack: string } {
  const stack = filename && `    at ${filename}:${lineno}:${colno}`;
  return { message: message.replace(/^uncaught (exception: )?/i, ''), stack };
}
