/** The visible part of the page. Texts from elsewhere are set as text, never as HTML. */

import type { LogEntry } from '../messages.ts';
import { logLine } from './words.ts';

const LOG_LINES = 200;

export function element<T extends Element = HTMLElement>(id: string): T {
  return document.getElementById(id) as unknown as T;
}

/** Writes a text. Only changed texts are written, because a screen reader repeats every written text. */
export function put(id: string, text: string): void {
  const target = element(id);
  if (target.textContent !== text) target.textContent = text;
}

export function show(id: string, isShown: boolean): void {
  element(id).toggleAttribute('hidden', !isShown);
}

export function log(entries: LogEntry[]): void {
  const lines = element('lines');
  show('output', true);
  for (const entry of entries) lines.appendChild(line(entry));
  while (lines.childNodes.length > LOG_LINES) lines.removeChild(lines.firstChild as ChildNode);
  lines.scrollTop = lines.scrollHeight;
}

function line(entry: LogEntry): HTMLElement {
  const item = document.createElement('li');
  item.className = entry.level;
  item.textContent = logLine(entry);
  return item;
}
