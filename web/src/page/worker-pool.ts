/**
 * Makes and ends the compute workers for the link, because on old phones a worker cannot make
 * workers.
 */

import { Order } from '../page-messages.ts';
import type { Join, ToLink } from '../page-messages.ts';
import { joinInPage } from '../worker.ts';
import type { Scripts } from './scripts.ts';
import { element } from './view.ts';

export class WorkerPool {
  private readonly workers = new Map<number, Worker>();

  constructor(
    private readonly link: Worker,
    private readonly scripts: Scripts,
    private readonly version: string,
    private readonly dom: boolean,
  ) {}

  make(core: number): void {
    const { port1, port2 } = new MessageChannel();
    const join: Join = {
      type: 'join',
      port: port1,
      version: this.version,
      script: this.scripts.function,
      text: this.scripts.text,
    };
    if (this.dom) joinInPage(join);
    else this.startWorker(core, join);
    this.tell({ type: Order.Core, core, port: port2 }, port2);
  }

  end(core: number): void {
    const worker = this.workers.get(core);
    if (worker) worker.terminate();
    this.workers.delete(core);
  }

  private startWorker(core: number, join: Join): void {
    const worker = new Worker(this.scripts.tab, { name: element<HTMLInputElement>('name').value });
    worker.onerror = (event) => {
      event.preventDefault();
      this.died(core, event.message);
    };
    // A run with assets has a script with this handler, `assets.js`. Else there is none.
    worker.onmessage = onmessage as Worker['onmessage'];
    worker.postMessage(join, [join.port]);
    this.workers.set(core, worker);
  }

  private died(core: number, message: string): void {
    this.end(core);
    this.tell({ type: Order.Died, core, message: message || 'the function could not be fetched' });
  }

  private tell(message: ToLink, port?: MessagePort): void {
    this.link.postMessage(message, port ? [port] : []);
  }
}
