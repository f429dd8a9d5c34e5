/** One lent core: a compute worker, or, for functions that need a document, the page itself. */

import { renameInStacks } from './core/convert.ts';
import { hearErrors, serve } from './core/port.ts';
import type { Join } from './page-messages.ts';
import { blob, loadScript } from './page/scripts.ts';

declare function importScripts(...urls: string[]): void;

const TRIES = 5;

/** Starts a core in this worker at the page's first message, if the message is for a core. */
export function awaitJoin(): void {
  // The page would never learn that a worker has closed itself.
  (self as unknown as { close(): void }).close = () => {
    throw new Error('close() would end the core: answer instead');
  };
  typeBlobs();
  addEventListener('message', ({ data }: MessageEvent<Join>) => {
    if (data.type === 'join')
      hearErrors(serve(data.port, data.version, () => fetchInWorker(addressOf(data), TRIES)));
  });
}

/**
 * Gives every blob a type. In a worker of Chrome before 80, no worker can start from a blob
 * without a type.
 */
function typeBlobs(): void {
  // Browsers with `replaceAll` are new enough.
  if ('replaceAll' in String.prototype) return;
  const create = URL.createObjectURL;
  URL.createObjectURL = (of: Blob) =>
    create(of.type ? of : of.slice(0, of.size, 'text/javascript'));
}

/** Starts a core in the page. */
export function joinInPage(join: Join): void {
  hearErrors(serve(join.port, join.version, () => fetchInPage(addressOf(join))));
}

/**
 * Returns the address for a script. The worker makes the blob itself, because a worker of an old
 * Chrome cannot load a blob of its page.
 */
function addressOf({ script, text }: Join): string {
  if (!text) return script;
  const address = blob(text);
  renameInStacks(address, script);
  return address;
}

/** Fetches and runs the function; tries again after network errors. */
async function fetchInWorker(address: string, tries: number): Promise<void> {
  try {
    importScripts(address);
  } catch (error) {
    if (tries <= 1 || (error as Error).name !== 'NetworkError') throw error;
    await new Promise((resolve) => setTimeout(resolve, 1000));
    return fetchInWorker(address, tries - 1);
  }
}

/** Fetches and runs the function; fails with the script's own error, if the script throws. */
function fetchInPage(address: string): Promise<void> {
  return new Promise((resolve, reject) => {
    let thrown: unknown = null;
    const remember = (event: ErrorEvent) => (thrown = event.error || new Error(event.message));
    addEventListener('error', remember);
    loadScript(
      address,
      () => {
        removeEventListener('error', remember);
        if (thrown && !('__pandoModule' in window)) reject(thrown);
        else resolve();
      },
      () => reject(new Error('the function could not be fetched')),
    );
  });
}
