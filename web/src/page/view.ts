/** The visible part of the page. Texts from elsewhere are set as text, never as HTML. */

import type { LogEntry } from '../messages.ts';
import { grouped, say } from './texts.ts';
import { logLine, rate } from './words.ts';
import type { StatusText } from './words.ts';

export interface ViewActions {
  rename(name: string): void;
  lend(cores: number): void;
  pause(paused: boolean): void;
  leave(): void;
}

const LOG_LINES = 200;

export class View {
  private readonly card = element('pando');
  private readonly title = element('title');
  private readonly detail = element('detail');
  private readonly noted = element('note');
  private readonly done = element('done');
  private readonly rate = element('rate');
  private readonly held = element('held');
  private readonly errors = element('errors');
  private readonly name = element('name') as HTMLInputElement;
  private readonly cores = element('cores') as HTMLInputElement;
  private readonly pause = element('pause') as HTMLButtonElement;
  private readonly leave = element('leave') as HTMLButtonElement;
  private readonly again = element('again') as HTMLButtonElement;
  private readonly output = element('output');
  private readonly lines = element('lines');
  paused = false;

  constructor(actions: ViewActions) {
    this.name.onchange = () => actions.rename(this.name.value.trim());
    this.cores.onchange = () => actions.lend(this.readCores());
    this.pause.onclick = () => actions.pause(this.togglePause());
    this.leave.onclick = () => actions.leave();
    this.again.onclick = () => location.reload();
    element('settings').onsubmit = () => false;
  }

  /** Shows the initial settings. */
  settings(name: string, cores: number, most: number, dom: boolean): void {
    this.name.value = name;
    this.cores.value = String(cores);
    this.cores.max = String(Math.max(cores, most));
    element('cores-field').hidden = dom;
    element('stage').hidden = !dom;
  }

  /** Writes the texts that do not depend on the state of the link. */
  label(): void {
    this.pause.textContent = this.paused ? say('resume') : say('pause');
  }

  /** Acts like a press on Pause. */
  press(): void {
    this.pause.click();
  }

  note(text: string): void {
    write(this.noted, text);
    this.noted.hidden = text === '';
  }

  showStatus({ title, detail, mood, over, again }: StatusText): void {
    // Only changed texts are written, because a screen reader repeats every written text.
    write(this.title, title);
    write(this.detail, detail);
    this.card.className = mood;
    this.pause.hidden = this.leave.hidden = over;
    this.again.hidden = !again;
    this.name.disabled = this.cores.disabled = over;
  }

  numbers(done: number, perSecond: number, held: number, errors: number): void {
    write(this.done, grouped(done));
    write(this.rate, rate(perSecond));
    write(this.held, grouped(held));
    write(this.errors, grouped(errors));
    (this.errors.parentNode as HTMLElement).hidden = errors === 0;
  }

  log(entries: LogEntry[]): void {
    this.output.hidden = false;
    for (const entry of entries) this.lines.appendChild(line(entry));
    while (this.lines.childNodes.length > LOG_LINES)
      this.lines.removeChild(this.lines.firstChild as ChildNode);
    this.lines.scrollTop = this.lines.scrollHeight;
  }

  private readCores(): number {
    const cores = Math.round(Number(this.cores.value)) || 1;
    const bounded = Math.max(1, Math.min(Number(this.cores.max), cores));
    this.cores.value = String(bounded);
    return bounded;
  }

  private togglePause(): boolean {
    this.paused = !this.paused;
    this.label();
    return this.paused;
  }
}

function line(entry: LogEntry): HTMLElement {
  const item = document.createElement('li');
  item.className = entry.level;
  item.textContent = logLine(entry);
  return item;
}

function write(target: HTMLElement, text: string): void {
  if (target.textContent !== text) target.textContent = text;
}

function element(id: string): HTMLElement {
  return document.getElementById(id) as HTMLElement;
}
