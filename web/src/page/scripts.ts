/** The addresses of the scripts that workers run. */

export interface Scripts {
  /** This page's own script, which is the workers' as well. */
  tab: string;
  function: string;
}

const AGAIN_MS = 1000;

/** The scripts below the folder of the page. */
export function scriptsBelow(folder: string): Scripts {
  return { tab: `${folder}page.js`, function: `${folder}function.js` };
}

/**
 * The same as blobs, for a page without an origin of its own: it may not start workers from addresses, and would not
 * learn what is wrong with a script.
 *
 * @param failed told of every try in vain; another follows
 */
export async function asBlobs(scripts: Scripts, failed: () => void): Promise<Scripts> {
  const [tab, code] = await Promise.all([blob(scripts.tab, failed), blob(scripts.function, failed)]);
  return { tab, function: code };
}

async function blob(address: string, failed: () => void): Promise<string> {
  const response = await fetch(address).catch(() => null);
  if (response && response.ok) {
    // Stacks go on naming the script.
    const text = `${await response.text()}\n//# sourceURL=${address}`;
    return URL.createObjectURL(new Blob([text], { type: 'text/javascript' }));
  }
  failed();
  await new Promise((resolve) => setTimeout(resolve, AGAIN_MS));
  return blob(address, failed);
}
