/**
 * One lent core: a compute worker that the page makes, or, for functions that need a document, a script in the page.
 * Either is given its port to the link.
 */

import { hearErrors, serve } from './core/port.ts';
import type { Join, ToWorker } from './page-messages.ts';

declare function importScripts(...urls: string[]): void;

const SCRIPT = 'function.js';
const TRIES = 5;

if (typeof document === 'undefined') {
  addEventListener('message', ({ data }: MessageEvent<ToWorker>) => {
    if (data && data.type === 'join') hearErrors(serve(data.port, data.version, () => fetchInWorker(TRIES)));
  });
} else {
  (window as { __pandoJoin?: Join }).__pandoJoin = (port, version) => hearErrors(serve(port, version, fetchInPage));
}

/** Fetches and runs the function; a network that is away for a moment is tried again. */
async function fetchInWorker(tries: number): Promise<void> {
  try {
    importScripts(SCRIPT);
  } catch (error) {
    if (tries <= 1 || (error as Error).name !== 'NetworkError') throw error;
    await new Promise((resolve) => setTimeout(resolve, 1000));
    return fetchInWorker(tries - 1);
  }
}

/** What the script throws while it runs is why the function cannot be used. */
function fetchInPage(): Promise<void> {
  return new Promise((resolve, reject) => {
    let thrown: unknown = null;
    const remember = (event: ErrorEvent) => (thrown = event.error || new Error(event.message));
    const script = document.createElement('script');
    script.src = SCRIPT;
    script.onload = () => {
      removeEventListener('error', remember);
      if (thrown && !('__pandoModule' in window)) reject(thrown);
      else resolve();
    };
    script.onerror = () => reject(new Error('the function could not be fetched'));
    addEventListener('error', remember);
    document.head.appendChild(script);
  });
}
