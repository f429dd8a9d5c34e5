/** Texts for states and numbers. */

import type { LogEntry } from '../messages.ts';
import type { Pause } from './pause.ts';
import { Phase } from '../page-messages.ts';
import type { LinkStatus } from '../page-messages.ts';
import { say } from './texts.ts';

export interface StatusText {
  /** One line, in the largest type. */
  title: string;
  /** Further information below the title. */
  detail: string;
  /** `good`, `bad`, or empty. */
  mood: string;
  /** Whether this page has ended for good. */
  over: boolean;
  /** Whether another load of the page may help. */
  again: boolean;
}

/** The part of the state which only the page knows. */
export interface PageState {
  readonly pause: Pause;
  /** The number of lent cores. */
  lent: number;
  /**
   * Whether items were done in the last seconds. With a quick function, the cores look idle at
   * almost every moment.
   */
  active: boolean;
  /** Whether the function runs in the page. */
  dom: boolean;
  /** What the device has done: the number of items, the time, and the share of all items. */
  done: number;
  time: string;
  share: string;
}

export function statusText(status: LinkStatus, page: PageState): StatusText {
  const { phase, text } = status;
  switch (phase) {
    case Phase.Connecting:
      return going(say('connecting'));
    case Phase.Joined:
      return page.pause.isOn
        ? going(pausedText(status, page) + routeText(status))
        : going(workText(status, page) + routeText(status), 'good');
    case Phase.Waiting:
      return going(say('waiting', 0, text), 'bad');
    case Phase.Missing:
      return going(say('missing'), 'bad');
    case Phase.Away:
      return going(say('away'));
    case Phase.Left:
      return over(say('left', 0, totals(page)), '', true);
    case Phase.Done:
      return over(say('done', 0, totals(page)), 'good');
    case Phase.Ended:
      return over(say('ended', 0, text));
    case Phase.Refused:
      return over(say('refused', 0, text), 'bad', true);
    case Phase.OtherVersion:
      return over(say('otherVersion'), 'bad', true);
    case Phase.OtherFunction:
      return over(say('otherFunction'), 'bad', true);
    case Phase.Gone:
      return over(say('gone'), 'bad');
    case Phase.Broken:
      return over(say('broken', 0, text), 'bad', true);
  }
}

function workText({ busy, done }: LinkStatus, { lent, active, dom }: PageState): string {
  if (busy === 0 && !active) return done === 0 ? say('ready') : say('idle');
  return dom ? say('asks') : say('cores', lent);
}

function pausedText({ held }: LinkStatus, { pause }: PageState): string {
  if (pause.byBattery) return say('lowBattery');
  return held > 0 ? say('finishing', held) : say('paused');
}

/** What the device has done in all; empty if nothing. */
function totals({ done, time, share }: PageState): string {
  return done > 0 ? `${say('totals', done, time)} ${share && say('share', 0, share)}` : '';
}

function routeText({ path = 'websocket' }: LinkStatus): string {
  const routes = { websocket: '', direct: say('direct'), turn: say('turn'), relay: say('relay') };
  return ` ${routes[path]}`;
}

/** The state of a page that goes on. The first line of `text` is the title. */
function going(text: string, mood = ''): StatusText {
  const [title, detail = ''] = text.split(/\n([^]*)/);
  return { title, detail: detail.trim(), mood, over: false, again: false };
}

function over(text: string, mood = '', again = false): StatusText {
  return { ...going(text, mood), over: true, again };
}

/** 3725 → "1:02:05". */
export function clock(seconds: number): string {
  return Math.floor(seconds / 3600) + new Date(seconds * 1000).toISOString().slice(13, 19);
}

/** The text of a log entry; people count items from 1. */
export function logLine(entry: LogEntry): string {
  const item = entry.id === undefined ? '' : say('item', entry.id + 1);
  return item + entry.text + (entry.count && entry.count > 1 ? say('times', entry.count) : '');
}
