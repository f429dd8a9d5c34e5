/**
 * Settings that survive a reload, in the tab's session storage, or in the fragment of a page
 * without storage; and settings for later runs, in the local storage.
 */

type Place = 'sessionStorage' | 'localStorage';

/** The stored settings of this page; empty in a page without storage. */
export function stored(place: Place): string {
  try {
    return self[place][nameIn(place)] || '';
  } catch {
    return '';
  }
}

/**
 * Stores `text`.
 *
 * @param failed called in a page without storage
 */
export function store(place: Place, text: string, failed = () => {}): void {
  try {
    self[place][nameIn(place)] = text;
  } catch {
    failed();
  }
}

/** Each run has a path of its own. */
function nameIn(place: Place): string {
  return place === 'localStorage' ? 'pando' : location.pathname;
}

/** Puts `text` into the fragment of the page's address. */
export function storeInFragment(text: string): void {
  if (location.hash !== `#${text}`) history.replaceState(history.state, '', `#${text}`);
}
