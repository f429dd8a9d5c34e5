import { duration } from '../format.ts';
import type { Model } from '../model.ts';

/** The state of the page's own connection. */
export function ConnectionPill({ model }: { model: Model }) {
  const { connection } = model;
  return (
    <p class={`pill ${connection}`}>
      <span class="dot" aria-hidden="true" />
      {wordsOf(model)}
      {(connection === 'lost' || connection === 'over') && (
        <button class="link" onClick={() => model.connect()}>
          {connection === 'lost' ? 'Try now' : 'Connect again'}
        </button>
      )}
    </p>
  );
}

function wordsOf({ connection, pause, snapshot }: Model): string {
  switch (connection) {
    case 'live':
      return 'Live';
    case 'connecting':
      return snapshot ? 'Reconnecting …' : 'Connecting …';
    case 'lost':
      return `Reconnecting … next attempt in ${duration(pause)}`;
    case 'over':
      return 'The run has ended';
  }
}
