/** The volunteer page: starts the link, makes workers for the link, and shows the state. */

import { transports } from './link/transports.ts';
import type { VolunteerByeReason } from './messages.ts';
import { WorkerPool } from './page/worker-pool.ts';
import { store, stored } from './page/storage.ts';
import { guessedName } from './page/name.ts';
import { coresToLend, folderOf, fragmentOf, fragmentOptions, tokenOf } from './page/options.ts';
import type { FragmentOptions } from './page/options.ts';
import { Peer } from './page/peer.ts';
import { Rate } from './page/rate.ts';
import { fetched, scriptsBelow } from './page/scripts.ts';
import type { Scripts } from './page/scripts.ts';
import { closeNetwork } from './page/network.ts';
import { chosenLanguage, loadTexts, say } from './page/texts.ts';
import { View } from './page/view.ts';
import { statusText } from './page/words.ts';
import type { FromLink, LinkStatus, ToLink } from './page-messages.ts';

/** @spoken by the server */
interface Config {
  /** Hash of the function. */
  function: string;
  dom: boolean;
  /** Whether the function has no access to the network. */
  denyNet: boolean;
  version: string;
  /** Whether a relay serves the page, without an origin of its own. */
  relay?: boolean;
}

const SHOW_EVERY_MS = 1000;
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

class Page {
  /** Settings that survive a reload. */
  private readonly kept = fragmentOptions(stored());
  private readonly options = { ...fragmentOptions(location.hash), ...this.kept };
  private readonly before = this.options.done || 0;
  private readonly guessed = guessedName(navigator.userAgent, navigator.maxTouchPoints);
  private readonly speed = new Rate();
  private readonly view: View;
  /** Whether the texts are loaded. */
  private canSpeak = false;
  private noted = () => '';
  private link: Worker | null = null;
  /** Messages from before the start of the link. */
  private early: ToLink[] = [];
  private peers: Peer[] = [];
  private status: LinkStatus = {
    phase: 'connecting',
    text: '',
    done: 0,
    errors: 0,
    held: 0,
    busy: 0,
  };
  private lent: number;

  constructor(private readonly config: Config) {
    // WebKit on Linux reports a wrong number of cores; on Apple's devices the number is right.
    const vague = this.guessed === 'Linux Safari';
    this.lent = config.dom
      ? 1
      : coresToLend(this.options.cores, navigator.hardwareConcurrency, vague);
    this.view = new View({
      rename: (name) => this.rename(name || this.guessed),
      lend: (cores) => this.lend(cores),
      pause: (paused) => this.pause(paused),
      leave: () => this.tell({ type: 'leave' }),
    });
    this.view.settings(
      this.options.device || this.guessed,
      this.lent,
      navigator.hardwareConcurrency || this.lent,
      config.dom,
    );
    if (this.options.paused) this.view.press();
    const { lang } = this.options;
    loadTexts(
      folderOf(location.href),
      chosenLanguage((lang ? [lang] : []).concat(navigator.languages)),
      () => {
        this.canSpeak = true;
        this.view.label();
        this.show();
      },
    );
  }

  /** Shows a note, whose text may be loaded later. */
  note(text: () => string): void {
    this.noted = text;
    this.show();
  }

  start(scripts: Scripts): void {
    const { config, options } = this;
    const relay = config.relay === true;
    if (config.denyNet && config.dom) closeNetwork();
    const webrtc = typeof RTCPeerConnection === 'function';
    const link = (this.link = new Worker(scripts.tab));
    const pool = new WorkerPool(link, scripts, config.version, config.dom);
    link.onmessage = ({ data }: MessageEvent<FromLink>) => this.hear(data, pool);
    link.onerror = () => this.note(() => say('part'));
    this.note(() => (options.protocol === 'webrtc' && !webrtc ? say('noWebrtc') : ''));
    this.listen();
    setInterval(() => this.show(), SHOW_EVERY_MS);
    this.show();
    this.tell({
      type: 'start',
      page: folderOf(location.href),
      transports: transports({ relay, webrtc, protocol: options.protocol }),
      relay,
      token: tokenOf(location.pathname),
      device: randomId(),
      name: this.options.device || this.guessed,
      cores: this.lent,
      function: config.function,
      dom: config.dom,
      reloaded: performance.navigation.type === 1,
    });
    this.early.forEach((message) => this.tell(message));
  }

  private tell(message: ToLink): void {
    if (this.link) this.link.postMessage(message);
    else this.early.push(message);
  }

  private hear(message: FromLink, pool: WorkerPool): void {
    switch (message.type) {
      case 'status':
        if (message.status.phase !== this.status.phase) setTimeout(() => this.show());
        this.status = message.status;
        return;
      case 'log':
        return this.view.log(message.entries);
      case 'make':
        return pool.make(message.core);
      case 'end':
        return pool.end(message.core);
      case 'dial':
        this.peers = this.peers
          .filter(({ ended }) => !ended)
          .concat(new Peer(message.signal, message.turn, message.port));
        return;
      case 'reload':
        return reload(message.function);
    }
  }

  private rename(name: string): void {
    this.keep({ device: name });
    this.tell({ type: 'update', name });
  }

  private lend(cores: number): void {
    this.keep({ cores });
    this.lent = cores;
    if (!this.view.paused) this.tell({ type: 'update', cores });
  }

  private pause(paused: boolean): void {
    this.keep({ paused: Number(paused) });
    this.tell({ type: 'update', cores: paused ? 0 : this.lent });
    this.show();
  }

  private show(): void {
    const { status, view, lent, config } = this;
    const rate = this.speed.sample(performance.now(), status.done);
    if (this.canSpeak) {
      view.showStatus(
        statusText(status, { paused: view.paused, lent, active: rate > 0, dom: config.dom }),
      );
      view.note(this.noted());
    }
    const done = this.before + status.done - status.errors;
    view.numbers(done, rate, status.held, status.errors);
    if (done > 0) this.keep({ done });
  }

  private keep(given: FragmentOptions): void {
    store(fragmentOf(Object.assign(this.kept, given)), () =>
      fragmentOf({ ...this.options, ...this.kept }),
    );
  }

  private listen(): void {
    const rejoin = () => this.tell({ type: 'rejoin' });
    addEventListener('pagehide', ({ persisted }) => this.hide(persisted ? 'hidden' : 'left'));
    document.addEventListener('freeze', () => this.hide('hidden'));
    document.addEventListener('resume', rejoin);
    addEventListener('pageshow', (event) => {
      if (event.persisted) rejoin();
    });
    addEventListener('online', () => this.tell({ type: 'wake' }));
    document.addEventListener('visibilitychange', () => {
      if (!document.hidden) this.tell({ type: 'wake' });
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
    this.tell({ type: 'hide', reason });
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
  let id = '';
  crypto
    .getRandomValues(new Uint8Array(16))
    .forEach((byte) => (id += (byte + 256).toString(16).slice(1)));
  return id;
}
