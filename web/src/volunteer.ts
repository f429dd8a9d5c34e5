/** The volunteer page: starts the link, makes the workers that it asks for, and shows how things are. */

import { Crew } from './page/crew.ts';
import { guessedName } from './page/name.ts';
import { addresses, coresToLend, fragmentOptions, tokenOf } from './page/options.ts';
import { Rate } from './page/rate.ts';
import { View } from './page/view.ts';
import { standing } from './page/words.ts';
import type { Account, FromLink, ToLink } from './page-messages.ts';

interface Config {
  /** Hash of the function. */
  function: string;
  dom: boolean;
  version: string;
}

const SHOW_EVERY_MS = 1000;
const RELOADED_FOR = 'pando-reloaded-for';

const config = JSON.parse((document.getElementById('config') as HTMLElement).textContent as string) as Config;
const options = fragmentOptions(location.hash);
const cores = config.dom ? 1 : coresToLend(options.cores, navigator.hardwareConcurrency);
const guessed = guessedName(navigator.userAgent, navigator.maxTouchPoints);
const name = options.device || guessed;

const link = new Worker('link.js');
const crew = new Crew(link, config.version, config.dom);
const speed = new Rate();
let account: Account = { phase: 'connecting', text: '', done: 0, errors: 0, held: 0, busy: 0 };
let lent = cores;

const view = new View({
  rename: (name) => tell({ type: 'update', name: name || guessed }),
  lend: (cores) => {
    lent = cores;
    if (!view.paused) tell({ type: 'update', cores });
  },
  pause: (paused) => {
    tell({ type: 'update', cores: paused ? 0 : lent });
    show();
  },
  leave: () => tell({ type: 'leave' }),
});

start();

function start(): void {
  view.settings(name, cores, navigator.hardwareConcurrency || cores, config.dom);
  if (options.protocol === 'webrtc') view.note('WebRTC is not available yet: this page uses WebSocket.');
  link.onmessage = ({ data }: MessageEvent<FromLink>) => hear(data);
  link.onerror = () => view.note('A part of this page could not be loaded. Load it again.');
  hearLife();
  setInterval(show, SHOW_EVERY_MS);
  show();
  const { socket, page } = addresses(location.href);
  tell({
    type: 'start',
    url: socket,
    page,
    token: tokenOf(location.pathname),
    device: randomId(),
    name,
    cores,
    function: config.function,
    dom: config.dom,
  });
}

function tell(message: ToLink): void {
  link.postMessage(message);
}

function hear(message: FromLink): void {
  switch (message.type) {
    case 'account':
      if (message.account.phase !== account.phase) setTimeout(show);
      account = message.account;
      return;
    case 'log':
      return view.log(message.entries);
    case 'make':
      return crew.make(message.core);
    case 'end':
      return crew.end(message.core);
    case 'reload':
      return reload(message.function);
  }
}

function show(): void {
  const rate = speed.at(performance.now(), account.done);
  view.standing(standing(account, { paused: view.paused, lent, active: rate > 0, dom: config.dom }));
  view.numbers(account.done, rate, account.held, account.errors);
}

/** Loads the page of another function; a server that goes on sending the old page is not asked for ever. */
function reload(hash: string): void {
  try {
    if (sessionStorage.getItem(RELOADED_FOR) === hash) return;
    sessionStorage.setItem(RELOADED_FOR, hash);
  } catch {
    return;
  }
  location.reload();
}

function hearLife(): void {
  const hide = () => tell({ type: 'hide' });
  const rejoin = () => tell({ type: 'rejoin' });
  addEventListener('pagehide', hide);
  document.addEventListener('freeze', hide);
  document.addEventListener('resume', rejoin);
  addEventListener('pageshow', (event) => {
    if (event.persisted) rejoin();
  });
  addEventListener('online', () => tell({ type: 'wake' }));
  document.addEventListener('visibilitychange', () => {
    if (!document.hidden) tell({ type: 'wake' });
  });
}

function randomId(): string {
  let id = '';
  crypto.getRandomValues(new Uint8Array(16)).forEach((byte) => (id += (byte + 256).toString(16).slice(1)));
  return id;
}
