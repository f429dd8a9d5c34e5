/**
 * Settings that survive a reload, in the tab's session storage, or in the fragment of a page
 * without storage.
 */

export function stored(): string {
  try {
    return sessionStorage[location.pathname] || '';
  } catch {
    return '';
  }
}

/**
 * Stores `text`.
 *
 * @param fragment returns the complete new fragment, for a page without storage
 */
export function store(text: string, fragment: () => string): void {
  try {
    sessionStorage[location.pathname] = text;
  } catch {
    const hash = `#${fragment()}`;
    if (location.hash !== hash) history.replaceState(history.state, '', hash);
  }
}
