/** Texts for states and numbers. */

import type { LogEntry, Path } from '../messages.ts';
import type { LinkStatus } from '../page-messages.ts';

export type Mood = 'good' | 'calm' | 'bad';

export interface StatusText {
  /** One line, in the largest type. */
  title: string;
  /** Further information below the title. */
  detail: string;
  mood: Mood;
  /** Whether this page has ended for good. */
  over: boolean;
  /** Whether another load of the page may help. */
  again: boolean;
}

/** The part of the state which only the page knows. */
export interface PageState {
  paused: boolean;
  /** The number of lent cores. */
  lent: number;
  /**
   * Whether items were done in the last seconds. With a quick function, the cores look idle at
   * almost every moment.
   */
  active: boolean;
  dom: boolean;
}

export function statusText(status: LinkStatus, page: PageState): StatusText {
  const { phase, text } = status;
  switch (phase) {
    case 'connecting':
      return going('Connecting…', '', 'calm');
    case 'joined':
      return connected(page.paused ? pausedText(status) : computing(status, page), status.path);
    case 'waiting':
      return going('Connection lost', `${text} Trying again by itself.`.trim(), 'bad');
    case 'away':
      return going('Away', 'It goes on when you return.', 'calm');
    case 'left':
      return over('You have left', 'Thank you for your help!', 'calm', true);
    case 'done':
      return over('The job is done, thank you!', 'You can close this page now.', 'good');
    case 'ended':
      return over('The run has ended', text, 'calm');
    case 'refused':
      return over('Not connected', text, 'bad', true);
    case 'gone':
      return over('Not connected', text, 'bad');
    case 'broken':
      return over('This device cannot run the function', text, 'bad', true);
  }
}

function computing({ busy, done }: LinkStatus, { lent, active, dom }: PageState): StatusText {
  if (busy === 0 && !active) {
    return going(
      done === 0 ? 'Ready' : 'Waiting for more',
      'Work begins as soon as there is some.',
      'good',
    );
  }
  if (dom) return going('Computing', 'It may ask you for something.', 'good');
  return going(
    'Computing',
    `With ${count(lent, 'core')} of this device. Keep this page open and visible.`,
    'good',
  );
}

function pausedText({ held }: LinkStatus): StatusText {
  return going(
    'Paused',
    held > 0 ? `Finishing ${count(held, 'item')}.` : 'This device gets no new work.',
    'calm',
  );
}

function connected(base: StatusText, path: Path = 'websocket'): StatusText {
  return { ...base, detail: `${base.detail} ${ROUTES[path]}`.trim() };
}

const ROUTES: { [path in Path]: string } = {
  websocket: '',
  direct: 'Connected directly.',
  turn: 'Connected through a TURN server.',
  relay: 'Connected through the relay.',
};

function going(title: string, detail: string, mood: Mood): StatusText {
  return { title, detail, mood, over: false, again: false };
}

function over(title: string, detail: string, mood: Mood, again = false): StatusText {
  return { title, detail, mood, over: true, again };
}

export function count(n: number, thing: string): string {
  return `${grouped(n)} ${thing}${n === 1 ? '' : 's'}`;
}

/** 1234567 → "1,234,567". */
export function grouped(n: number): string {
  return String(n).replace(/\B(?=(\d{3})+$)/g, ',');
}

/** The items per second as text, never 0 for a slow function. */
export function rate(perSecond: number): string {
  if (perSecond === 0) return '0';
  if (perSecond < 10) return String(Number(perSecond.toPrecision(2)));
  return grouped(Math.round(perSecond));
}

/** The text of a log entry; people count items from 1. */
export function logLine(entry: LogEntry): string {
  const item = entry.id === undefined ? '' : `item ${entry.id + 1}: `;
  return `${item}${entry.text}${entry.count && entry.count > 1 ? ` (${grouped(entry.count)} times)` : ''}`;
}
