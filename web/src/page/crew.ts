/** The compute workers, made and ended as the link asks: on old phones a worker cannot make workers. */

import type { Join, ToLink, ToWorker } from '../page-messages.ts';

const SCRIPT = 'worker.js';

export class Crew {
  private readonly workers = new Map<number, Worker>();

  constructor(
    private readonly link: Worker,
    private readonly version: string,
    private readonly dom: boolean,
  ) {}

  make(core: number): void {
    const { port1, port2 } = new MessageChannel();
    if (this.dom) this.hireSelf(core, port1);
    else this.hire(core, port1);
    this.tell({ type: 'core', core, port: port2 }, port2);
  }

  end(core: number): void {
    const worker = this.workers.get(core);
    if (worker) worker.terminate();
    this.workers.delete(core);
  }

  private hire(core: number, port: MessagePort): void {
    const worker = new Worker(SCRIPT);
    const join: ToWorker = { type: 'join', port, version: this.version };
    worker.onerror = (event) => {
      event.preventDefault();
      this.died(core, event.message);
    };
    worker.postMessage(join, [port]);
    this.workers.set(core, worker);
  }

  /** The page itself is the core. */
  private hireSelf(core: number, port: MessagePort): void {
    const script = document.createElement('script');
    script.src = SCRIPT;
    script.onload = () => (window as unknown as { __pandoJoin: Join }).__pandoJoin(port, this.version);
    script.onerror = () => this.died(core, '');
    document.head.appendChild(script);
  }

  private died(core: number, message: string): void {
    this.end(core);
    this.tell({ type: 'died', core, message: message || 'its script could not be fetched' });
  }

  private tell(message: ToLink, port?: MessagePort): void {
    this.link.postMessage(message, port ? [port] : []);
  }
}
