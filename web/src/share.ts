/**
 * Offers the address of the page to other people: the device's own means of sharing, a link to
 * copy, and a QR code. The page loads this script when a person wants to share.
 */

import encodeQR from 'qr';
import type { say as Say } from './page/texts.ts';

const SVG = 'http://www.w3.org/2000/svg';

/** Fills `panel`; called by the page. */
(self as unknown as { pandoShare: unknown }).pandoShare = fill;

function fill(panel: HTMLElement, url: string, title: string, say: typeof Say): void {
  const field = document.createElement('input');
  field.readOnly = true;
  field.dir = 'ltr';
  field.value = url;
  field.setAttribute('aria-label', say('link'));
  const said = document.createElement('p');
  said.setAttribute('role', 'status');
  const copy = () => {
    field.select();
    field.setSelectionRange(0, url.length);
    said.textContent = document.execCommand('copy') ? say('copied') : say('copy');
  };
  panel.textContent = '';
  panel.append(code(url, say('qr')), field, said);
  if ('share' in navigator) panel.append(button(say('send'), () => void send(title, url, copy)));
  copy();
}

/** Shares with the means of the device, or copies where they fail. */
async function send(title: string, url: string, copy: () => void): Promise<void> {
  try {
    await navigator.share({ title, url });
  } catch (error) {
    if ((error as Error).name !== 'AbortError') copy();
  }
}

function button(text: string, press: () => void): HTMLElement {
  const made = document.createElement('button');
  made.type = 'button';
  made.textContent = text;
  made.onclick = press;
  return made;
}

function code(text: string, label: string): SVGElement {
  const rows = encodeQR(text, 'raw', { border: 4 });
  const svg = document.createElementNS(SVG, 'svg');
  const path = document.createElementNS(SVG, 'path');
  svg.style.cssText = 'height: auto; background: #fff; stroke: none';
  svg.setAttribute('role', 'img');
  svg.setAttribute('aria-label', label);
  svg.setAttribute('viewBox', `0 0 ${rows.length} ${rows.length}`);
  path.setAttribute(
    'd',
    rows
      .map((row, y) => row.map((isDark, x) => (isDark ? `M${x} ${y}h1v1h-1z` : '')).join(''))
      .join(''),
  );
  svg.append(path);
  return svg;
}
