/** The scripts of the page and their addresses. */

export interface Scripts {
  /** The page's own script, which workers run as well. */
  tab: string;
  function: string;
  /** The source of the function, for cores that cannot fetch the address. */
  text?: string;
}

const AGAIN_MS = 1000;

/** The addresses in the folder of the page. */
export function scriptsBelow(folder: string): Scripts {
  return { tab: `${folder}page.js`, function: `${folder}function.js` };
}

/**
 * Fetches the scripts, for a page without an origin of its own. Such a page cannot start workers
 * from plain addresses, and would not see the errors of a script.
 *
 * @param failed called after each failed attempt; another attempt follows
 */
export async function fetched(scripts: Scripts, failed: () => void): Promise<Scripts> {
  const [tab, text] = await Promise.all([
    source(scripts.tab, failed),
    source(scripts.function, failed),
  ]);
  return { tab: blob(tab), function: scripts.function, text };
}

/** Makes an address for a script with the source `text`. */
export function blob(text: string): string {
  return URL.createObjectURL(new Blob([text], { type: 'text/javascript' }));
}

/** Runs the script at `address` in the page. */
export function loadScript(address: string, done: () => void, failed: () => void): void {
  const script = document.createElement('script');
  script.src = address;
  script.onload = done;
  script.onerror = failed;
  document.head.appendChild(script);
}

async function source(address: string, failed: () => void): Promise<string> {
  const response = await fetch(address).catch(() => null);
  // With this comment, stacks show the script's real address.
  if (response && response.ok) return `${await response.text()}\n//# sourceURL=${address}`;
  failed();
  await new Promise((resolve) => setTimeout(resolve, AGAIN_MS));
  return source(address, failed);
}
