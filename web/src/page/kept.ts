/** What a reload leaves as it is: kept in the tab's storage, or, where a page has none, in its fragment. */

export function stored(): string {
  try {
    return sessionStorage[location.pathname] || '';
  } catch {
    return '';
  }
}

/** @param fragment says all that the page's fragment is to say, for a page without storage */
export function store(text: string, fragment: () => string): void {
  try {
    sessionStorage[location.pathname] = text;
  } catch {
    const hash = `#${fragment()}`;
    if (location.hash !== hash) history.replaceState(history.state, '', hash);
  }
}
