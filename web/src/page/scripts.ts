/** The addresses of the scripts that workers run. */

export interface Scripts {
  /** This page's own script, which is the workers' as well. */
  tab: string;
  function: string;
  /** The function itself, where cores cannot fetch it. */
  text?: string;
}

const AGAIN_MS = 1000;

/** The scripts below the folder of the page. */
export function scriptsBelow(folder: string): Scripts {
  return { tab: `${folder}page.js`, function: `${folder}function.js` };
}

/**
 * The same for a page without an origin of its own: it may not start workers from addresses, and would not learn what is
 * wrong with a script.
 *
 * @param failed told of every try in vain; another follows
 */
export async function fetched(scripts: Scripts, failed: () => void): Promise<Scripts> {
  const [tab, text] = await Promise.all([source(scripts.tab, failed), source(scripts.function, failed)]);
  return { tab: blob(tab), function: scripts.function, text };
}

/** The address of a script that is `text`. */
export function blob(text: string): string {
  return URL.createObjectURL(new Blob([text], { type: 'text/javascript' }));
}

async function source(address: string, failed: () => void): Promise<string> {
  const response = await fetch(address).catch(() => null);
  // Stacks go on naming the script.
  if (response && response.ok) return `${await response.text()}\n//# sourceURL=${address}`;
  failed();
  await new Promise((resolve) => setTimeout(resolve, AGAIN_MS));
  return source(address, failed);
}
