/**
 * The environment of the user's bundle, the same in every kind of core: console, host and error
 * handling.
 */

import { Core } from '../core.ts';
import type { CoreHost } from '../core.ts';
import type { CoreOptions, LogLevel } from '../messages.ts';
import { userFunction } from './function.ts';
import { failure } from './inspect.ts';
import type { PandoModule } from './function.ts';

/** @spoken by functions, and by browsers */
interface Globals {
  __pandoModule?: PandoModule;
  __pandoHost?: { version: string; report(info: unknown): void };
  global?: unknown;
  console: Record<string, (...args: unknown[]) => void>;
}

const world = globalThis as unknown as Globals;

const LEVELS: [string, LogLevel][] = [
  ['log', 'log'],
  ['info', 'info'],
  ['warn', 'warn'],
  ['error', 'error'],
  ['debug', 'debug'],
  ['trace', 'debug'],
  ['dir', 'log'],
  ['table', 'log'],
];

export class Runtime {
  private core: Core | null = null;

  /**
   * @param load runs the bundle, which sets `__pandoModule`
   * @param echo whether console output also goes to the browser's own console, for developers
   */
  constructor(
    private readonly host: CoreHost,
    private readonly version: string,
    private readonly load: () => void | Promise<void>,
    private readonly echo: boolean,
  ) {}

  async init(options: CoreOptions): Promise<void> {
    const core = new Core(this.host, options);
    this.core = core;
    try {
      this.prepare(core);
      await this.load();
      const module = world.__pandoModule;
      core.use(userFunction(module), module as PandoModule);
    } catch (error) {
      return this.broken(error);
    }
    this.host.post({ type: 'ready' });
  }

  values(frame: Uint8Array): void {
    if (this.core) this.core.values(frame);
  }

  drained(): void {
    if (this.core) this.core.drained();
  }

  forget(): void {
    if (this.core) this.core.forget();
  }

  uncaught(error: unknown): void {
    if (this.core) this.core.uncaught(error);
    else this.broken(error);
  }

  private broken(error: unknown): void {
    const { message, stack } = failure(error, 'throw');
    this.host.post({ type: 'broken', message, ...(stack ? { stack } : {}) });
  }

  private prepare(core: Core): void {
    // Old scripts use Node's name for the global object.
    world.global = globalThis;
    world.__pandoHost = { version: this.version, report: (info) => core.report(info) };
    for (const [method, level] of LEVELS) this.capture(core, method, level);
    world.console.assert = (condition, ...args) => {
      if (!condition) core.log('error', ['assertion failed:', ...args]);
    };
  }

  private capture(core: Core, method: string, level: LogLevel): void {
    const original = world.console[method];
    world.console[method] = (...args) => {
      if (core.log(level, args) && this.echo && original) original.apply(world.console, args);
    };
  }
}
