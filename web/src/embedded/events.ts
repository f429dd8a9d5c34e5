/** EventTarget, Event, DOMException, AbortController and AbortSignal, as far as functions use them. */

class Event {
  defaultPrevented = false;
  target: unknown = null;
  readonly type: string;

  constructor(type: unknown) {
    this.type = String(type);
  }

  preventDefault(): void {
    this.defaultPrevented = true;
  }
}

type Listener = ((event: Event) => void) | { handleEvent(event: Event): void };

class EventTarget {
  private readonly listeners = new Map<string, Map<Listener, boolean>>();

  addEventListener(
    type: string,
    listener: Listener | null,
    options?: { once?: boolean } | boolean,
  ): void {
    if (!listener) return;
    const all = this.listeners.get(type) || new Map<Listener, boolean>();
    this.listeners.set(type, all);
    if (!all.has(listener)) all.set(listener, typeof options === 'object' && !!options.once);
  }

  removeEventListener(type: string, listener: Listener | null): void {
    const all = this.listeners.get(type);
    if (all && listener) all.delete(listener);
  }

  dispatchEvent(event: Event): boolean {
    event.target = this;
    const handler = (this as unknown as Record<string, unknown>)['on' + event.type];
    if (typeof handler === 'function') handler.call(this, event);
    for (const [listener, once] of [...(this.listeners.get(event.type) || [])]) {
      if (once) this.removeEventListener(event.type, listener);
      if (typeof listener === 'function') listener.call(this, event);
      else listener.handleEvent(event);
    }
    return !event.defaultPrevented;
  }
}

class DOMException extends Error {
  constructor(message = '', name = 'Error') {
    super(message);
    this.name = name;
  }
}

class AbortSignal extends EventTarget {
  aborted = false;
  reason: unknown = undefined;
  onabort: ((event: Event) => void) | null = null;

  throwIfAborted(): void {
    if (this.aborted) throw this.reason;
  }

  static abort(reason?: unknown): AbortSignal {
    const signal = new AbortSignal();
    abort(signal, reason);
    return signal;
  }

  static timeout(ms: number): AbortSignal {
    const signal = new AbortSignal();
    setTimeout(() => abort(signal, new DOMException('the time is over', 'TimeoutError')), ms);
    return signal;
  }

  static any(signals: Iterable<AbortSignal>): AbortSignal {
    const all = [...signals];
    const signal = new AbortSignal();
    const first = all.find((other) => other.aborted);
    if (first) abort(signal, first.reason);
    else
      for (const other of all)
        other.addEventListener('abort', () => abort(signal, other.reason), {
          once: true,
        });
    return signal;
  }
}

function abort(signal: AbortSignal, reason: unknown): void {
  if (signal.aborted) return;
  signal.aborted = true;
  signal.reason =
    reason === undefined ? new DOMException('this was aborted', 'AbortError') : reason;
  signal.dispatchEvent(new Event('abort'));
}

class AbortController {
  readonly signal = new AbortSignal();

  abort(reason?: unknown): void {
    abort(this.signal, reason);
  }
}

export const eventGlobals = {
  Event,
  EventTarget,
  DOMException,
  AbortController,
  AbortSignal,
};
