/** Texts for states and numbers. */

import type { LogEntry, Path } from '../messages.ts';
import type { LinkStatus } from '../page-messages.ts';
import { grouped, say } from './texts.ts';

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
      return going(say('connecting'), '', 'calm');
    case 'joined':
      return connected(page.paused ? pausedText(status) : computing(status, page), status.path);
    case 'waiting':
      return going(say('lost'), joined(text, say('retry')), 'bad');
    case 'missing':
      return going(say('lost'), joined(say('missing'), say('retry')), 'bad');
    case 'away':
      return going(say('away'), say('onReturn'), 'calm');
    case 'left':
      return over(say('left'), say('thanks'), 'calm', true);
    case 'done':
      return over(say('done'), say('close'), 'good');
    case 'ended':
      return over(say('ended'), text, 'calm');
    case 'refused':
      return over(say('refused'), text, 'bad', true);
    case 'otherVersion':
      return over(say('refused'), say('otherVersion'), 'bad', true);
    case 'otherFunction':
      return over(say('refused'), say('otherFunction'), 'bad', true);
    case 'gone':
      return over(say('refused'), say('gone'), 'bad');
    case 'broken':
      return over(say('broken'), text, 'bad', true);
  }
}

function computing({ busy, done }: LinkStatus, { lent, active, dom }: PageState): StatusText {
  if (busy === 0 && !active)
    return going(done === 0 ? say('ready') : say('idle'), say('soon'), 'good');
  return going(say('computing'), dom ? say('asks') : say('cores', lent), 'good');
}

function pausedText({ held }: LinkStatus): StatusText {
  return going(say('paused'), held > 0 ? say('finishing', held) : say('noWork'), 'calm');
}

function connected(base: StatusText, path: Path = 'websocket'): StatusText {
  return { ...base, detail: joined(base.detail, routeText(path)) };
}

function routeText(path: Path): string {
  switch (path) {
    case 'websocket':
      return '';
    case 'direct':
      return say('direct');
    case 'turn':
      return say('turn');
    case 'relay':
      return say('relay');
  }
}

/** Two sentences, of which one may be empty. */
function joined(first: string, second: string): string {
  return `${first} ${second}`.trim();
}

function going(title: string, detail: string, mood: Mood): StatusText {
  return { title, detail, mood, over: false, again: false };
}

function over(title: string, detail: string, mood: Mood, again = false): StatusText {
  return { title, detail, mood, over: true, again };
}

/** The items per second as text, never 0 for a slow function. */
export function rate(perSecond: number): string {
  return perSecond < 10
    ? grouped(perSecond, { maximumSignificantDigits: 2 })
    : grouped(Math.round(perSecond));
}

/** The text of a log entry; people count items from 1. */
export function logLine(entry: LogEntry): string {
  const item = entry.id === undefined ? '' : say('item', entry.id + 1);
  return item + entry.text + (entry.count && entry.count > 1 ? say('times', entry.count) : '');
}
