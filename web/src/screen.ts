/**
 * Says how a phone's screen stays on where the page cannot keep it on, because only pages over https
 * can. The page loads this script when that is so.
 */

import { guessedName } from './page/name.ts';
import type { say as Say } from './page/texts.ts';

/** Fills the place of the switch for the screen; called by the page. */
(self as unknown as { pandoScreen: unknown }).pandoScreen = fill;

/** @param url the page at the relay of the run, if there is one */
function fill(url: string | undefined, say: typeof Say): void {
  const field = document.getElementById('screen-field') as HTMLElement;
  field.style.display = 'block';
  const device = guessedName(navigator.userAgent, navigator.maxTouchPoints);
  field.textContent = device[1] === 'P' ? say('ios') : say('android');
  if (url && url.startsWith('https:') && location.protocol === 'http:') {
    const link = document.createElement('a');
    link.href = link.textContent = url;
    link.dir = 'ltr';
    field.append(` ${say('secure')} `, link);
  }
  field.hidden = false;
}
