/** The volunteer page: starts the link, makes workers for the link, and shows the state. */

import { transports } from './link/transports.ts';
import type { VolunteerByeReason } from './messages.ts';
import { News, Order, Phase } from './page-messages.ts';
import type { FromLink, LinkStatus, ToLink } from './page-messages.ts';
import { Awake } from './page/awake.ts';
import { History } from './page/history.ts';
import { guessedName } from './page/name.ts';
import { closeNetwork } from './page/network.ts';
import { coresToLend, folderOf, fragmentOf, fragmentOptions, tokenOf } from './page/options.ts';
import type { FragmentOptions } from './page/options.ts';
import { Pause } from './page/pause.ts';
import { Peer } from './page/peer.ts';
import { fetched, loadScript, scriptsBelow } from './page/scripts.ts';
import type { Scripts } from './page/scripts.ts';
import { store, storeInFragment, stored } from './page/storage.ts';
import { chosenLanguage, grouped, loadTexts, say } from './page/texts.ts';
import { element, log, put, show } from './page/view.ts';
import { clock, statusText } from './page/words.ts';
import type { PageState } from './page/words.ts';
import { WorkerPool } from './page/worker-pool.ts';

declare global {
  interface Window {
    /** Made by `share.js`. */
    pandoShare(panel: HTMLElement, url: string, title: string, speak: typeof say): void;
    /** Made by `screen.js`. */
    pandoScreen(url: string | undefined, speak: typeof say): void;
  }
}

/** @spoken by the server */
interface Config {
  /** Hash of the function. */
  function: string;
  dom: boolean;
  /** Whether the function has no access to the network. */
  denyNet: boolean;
  version: string;
  /** What is computed, and for whom. */
  title?: string;
  from?: string;
  /** Whether a relay serves the page, without an origin of its own. */
  relay?: boolean;
  /** The page at the relay of the run, for a page that the run serves itself. */
  relayUrl?: string;
}

/**
 * The battery of the device.
 *
 * @spoken by browsers
 */
interface Battery {
  /** From 0 to 1. */
  level: number;
  charging: boolean;
  onlevelchange: unknown;
  onchargingchange: unknown;
}

const SHOW_EVERY_MS = 1000;
const SILENCE = () => '';
/** Milliseconds in which the link returns all values. */
const GOODBYE_MS = 100;

export function openPage(): void {
  const config: Config = JSON.parse(
    (document.getElementById('config') as HTMLElement).textContent as string,
  );
  const page = new Page(config);
  const scripts = scriptsBelow(folderOf(location.href));
  if (config.relay)
    void fetched(scripts, () => page.note(() => say('trying'))).then((scripts) =>
      page.start(scripts),
    );
  else page.start(scripts);
}

class Page implements PageState {
  /** Settings that survive a reload. */
  private readonly kept = fragmentOptions(stored('sessionStorage'));
  /** Settings that survive the run. */
  private readonly known = fragmentOptions(stored('localStorage'));
  private readonly options = {
    ...this.known,
    ...fragmentOptions(location.hash),
    ...this.kept,
  };
  private readonly before = this.options.done || 0;
  private readonly guessed = guessedName(navigator.userAgent, navigator.maxTouchPoints);
  private readonly isPhone = /^(iP|Andr)/.test(this.guessed);
  private readonly history = new History();
  readonly pause = new Pause();
  private readonly awake =
    'wakeLock' in navigator ? new Awake(() => navigator.wakeLock.request('screen')) : null;
  private readonly cores = element<HTMLInputElement>('cores');
  private readonly screen = element<HTMLInputElement>('screen');
  private readonly folder = folderOf(location.href);
  /** Whether the texts are loaded. */
  private canSpeak = false;
  private noted = SILENCE;
  private link: Worker | null = null;
  private peers: Peer[] = [];
  private status: LinkStatus = {
    phase: Phase.Connecting,
    text: '',
    done: 0,
    errors: 0,
    held: 0,
    busy: 0,
    lost: 0,
  };
  lent: number;
  readonly dom = this.config.dom;
  active = false;
  done = 0;
  time = '';
  share = '';
  /** The seconds lent, up to the moment `shownAt`. */
  private spent = this.options.time || 0;
  private shownAt = 0;

  constructor(private readonly config: Config) {
    const { options } = this;
    this.lent = this.coresToLend(this.isPhone);
    this.prepareSettings();
    element('pause').onclick = () => this.press();
    element('leave').onclick = () => this.tell({ type: Order.Leave });
    element('again').onclick = () => location.reload();
    element('invite').onclick = () => this.invite();
    show('stage', this.dom);
    if (config.title) put('what', (document.title = config.title));
    if (options.paused) this.press();
    this.watchBattery();
    loadTexts(this.folder, chosenLanguage([options.lang || ''].concat(navigator.languages)), () => {
      this.canSpeak = true;
      this.show();
      if (!this.awake && this.isPhone) this.hintAtScreen();
    });
  }

  private prepareSettings(): void {
    const { options, cores, screen, guessed } = this;
    const name = element<HTMLInputElement>('name');
    name.value = options.device || guessed;
    name.onchange = () => {
      const device = name.value.trim() || guessed;
      this.set({ device });
      this.tell({ type: Order.Update, name: device });
    };
    cores.value = String(this.lent);
    cores.max = String(Math.max(this.lent, navigator.hardwareConcurrency || 0));
    cores.onchange = () => {
      this.lend(Math.max(1, Math.min(+cores.max, Math.round(+cores.value))));
      this.set({ cores: this.lent });
    };
    screen.checked = options.awake === undefined ? this.isPhone : options.awake > 0;
    screen.onchange = () => this.set({ awake: +screen.checked });
    show('cores-field', !this.dom);
    show('screen-field', this.awake !== null);
  }

  /** Loads the script for sharing, and lets the script fill its place on the page. */
  private invite(): void {
    const { folder } = this;
    loadScript(
      `${folder}share.js`,
      () => window.pandoShare(element('panel'), folder, document.title, say),
      () => this.fail(),
    );
  }

  /** Says how the screen stays on where the page cannot keep it on. */
  private hintAtScreen(): void {
    loadScript(
      `${this.folder}screen.js`,
      () => window.pandoScreen(this.config.relayUrl, say),
      SILENCE,
    );
  }

  /** Shows a note, whose text may be loaded later. */
  note(text: () => string): void {
    this.noted = text;
    this.show();
  }

  private fail(): void {
    this.note(() => say('part'));
  }

  start(scripts: Scripts): void {
    const { config, options } = this;
    const relay = config.relay === true;
    if (config.denyNet && config.dom) closeNetwork();
    const webrtc = typeof RTCPeerConnection === 'function';
    const reloaded = performance.navigation.type === 1;
    // A copy of a tab has the settings of the tab, and is another device.
    const id = (reloaded && options.id) || randomId();
    this.keep({ id });
    const link = (this.link = new Worker(scripts.tab));
    const pool = new WorkerPool(link, scripts, config.version, config.dom);
    link.onmessage = ({ data }: MessageEvent<FromLink>) => this.hear(data, pool);
    link.onerror = () => this.fail();
    this.note(options.protocol === 'webrtc' && !webrtc ? () => say('noWebrtc') : SILENCE);
    this.listen();
    setInterval(() => this.show(), SHOW_EVERY_MS);
    this.tell({
      type: Order.Start,
      page: this.folder,
      transports: transports({ relay, webrtc, protocol: options.protocol }),
      relay,
      token: tokenOf(location.pathname),
      device: id,
      name: options.device || this.guessed,
      cores: this.lent,
      function: config.function,
      dom: config.dom,
      reloaded,
    });
    if (this.pause.isOn) this.tellCores();
  }

  private tell(message: ToLink): void {
    // What is set before the start is part of the start.
    if (this.link) this.link.postMessage(message);
  }

  private hear(message: FromLink, pool: WorkerPool): void {
    switch (message.type) {
      case News.Status:
        return this.setStatus(message.status);
      case News.Log:
        return log(message.entries);
      case News.Make:
        return pool.make(message.core);
      case News.End:
        return pool.end(message.core);
      case News.Dial:
        this.peers = this.peers
          .filter(({ ended }) => !ended)
          .concat(new Peer(message.signal, message.turn, message.port));
        return;
      case News.Reload:
        return reload(message.function);
    }
  }

  private setStatus(status: LinkStatus): void {
    const { phase, lost } = this.status;
    if (status.phase !== phase) setTimeout(() => this.show());
    if (status.lost > lost) this.note(() => say('wentBack', status.lost - lost));
    this.status = status;
  }

  private lend(cores: number): void {
    this.lent = cores;
    this.cores.value = String(cores);
    this.tellCores();
  }

  private tellCores(): void {
    this.tell({ type: Order.Update, cores: this.pause.isOn ? 0 : this.lent });
    this.show();
  }

  private coresToLend(spared: boolean): number {
    // WebKit on Linux reports a wrong number of cores; on Apple's devices the number is right.
    const vague = this.guessed === 'Linux Safari';
    return this.dom
      ? 1
      : coresToLend(this.options.cores, navigator.hardwareConcurrency, vague, spared);
  }

  /** The person presses Pause or Resume. */
  private press(): void {
    this.pause.toggle();
    this.keep({ paused: +this.pause.byPerson });
    this.tellCores();
  }

  private watchBattery(): void {
    const power = navigator as { getBattery?: () => Promise<Battery> };
    if (!power.getBattery) return;
    void power.getBattery().then((battery) => {
      battery.onlevelchange = battery.onchargingchange = () => this.spare(battery);
      this.spare(battery);
    });
  }

  /** Lends fewer cores on battery, unless the person has chosen; none with a low battery. */
  private spare({ level, charging }: Battery): void {
    const { pause, lent } = this;
    const before = pause.isOn;
    pause.setBattery(level, charging);
    const cores = this.coresToLend(this.isPhone || !charging);
    if (pause.isOn !== before || cores !== lent) this.lend(cores);
  }

  private show(): void {
    const { status, config, pause, canSpeak, screen } = this;
    const now = performance.now();
    const { perSecond, path } = this.history.sample(now, status.done);
    this.active = perSecond > 0;
    if (this.active || status.busy > 0) this.spent += (now - this.shownAt) / 1000;
    this.shownAt = now;
    const done = (this.done = this.before + status.done - status.errors);
    const time = (this.time = clock(this.spent));
    const share = (this.share = status.items
      ? grouped(done / status.items, { style: 'percent', maximumSignificantDigits: 2 })
      : '');
    const { title, detail, mood, over, again } = statusText(status, this);
    if (this.awake) this.awake.set(screen.checked && !over && !pause.isOn && !document.hidden);
    if (done > 0) this.keep({ done, time: Math.floor(this.spent) });
    if (!canSpeak) return;
    const texts = {
      who: config.from ? say('who', 0, config.from) : '',
      title,
      detail,
      note: over ? '' : this.peers.some(({ isHeld }) => isHeld) ? say('allow') : this.noted(),
      pause: pause.isOn ? say('resume') : say('pause'),
      done: grouped(done),
      rate: grouped(perSecond, { maximumSignificantDigits: 3 }),
      held: grouped(status.held),
      time,
      share,
      errors: status.errors ? grouped(status.errors) : '',
    };
    Object.entries(texts).forEach(([id, text]) => put(id, text));
    show('errors-field', status.errors > 0);
    show('share-field', share !== '');
    element('bars').setAttribute('d', path);
    element('pando').className = mood;
    show('settings', !over);
    show('again', again);
  }

  /** Keeps settings that the person has chosen, also for later runs. */
  private set(given: FragmentOptions): void {
    store('localStorage', fragmentOf(Object.assign(this.known, given)));
    this.keep(given);
    this.show();
  }

  private keep(given: FragmentOptions): void {
    Object.assign(this.options, given);
    store('sessionStorage', fragmentOf(Object.assign(this.kept, given)), () =>
      storeInFragment(fragmentOf(this.options)),
    );
  }

  private listen(): void {
    const rejoin = () => this.tell({ type: Order.Rejoin });
    addEventListener('pagehide', ({ persisted }) => this.hide(persisted ? 'hidden' : 'left'));
    document.addEventListener('freeze', () => this.hide('hidden'));
    document.addEventListener('resume', rejoin);
    addEventListener('pageshow', (event) => {
      if (event.persisted) rejoin();
    });
    addEventListener('online', () => this.tell({ type: Order.Wake }));
    document.addEventListener('visibilitychange', () => {
      this.show();
      if (!document.hidden) this.tell({ type: Order.Wake });
    });
  }

  /**
   * Says goodbye before the browser closes or freezes the page. The link is frozen together with
   * the page, as soon as this method returns; so the method waits. The peers say goodbye here,
   * because the link's messages to them would come too late.
   */
  private hide(reason: VolunteerByeReason): void {
    this.show();
    this.peers.forEach((peer) => peer.goodbye(reason));
    this.tell({ type: Order.Hide, reason });
    const end = performance.now() + GOODBYE_MS;
    while (performance.now() < end);
  }
}

/**
 * Loads the page of another function, but only once per function, because the server may still
 * send the old page.
 */
function reload(hash: string): void {
  const search = `?function=${hash}`;
  if (location.search !== search) location.replace(search + location.hash);
}

function randomId(): string {
  return crypto.getRandomValues(new Uint32Array(4)).join('');
}
