import type { Snapshot, WindowFigures } from '../data.ts';
import { count, duration, percent, whole } from '../format.ts';
import { Figure } from './progress-card.tsx';

/** Where the items between input and output are. */
export function WindowCard({ snapshot }: { snapshot: Snapshot }) {
  const { read, output, inProgress, waiting, limit, blockedBy } = snapshot.window;
  const inside = read - output;
  return (
    <section class="card window-card" aria-labelledby="window">
      <h2 id="window">From input to output</h2>
      <dl class="figures flow">
        <Figure name="Read">{whole(read)}</Figure>
        <Figure name="In progress">{whole(inProgress)}</Figure>
        <Figure name="Waiting for their turn">{whole(waiting)}</Figure>
        <Figure name="Output">{whole(output)}</Figure>
      </dl>
      <WindowBar window={snapshot.window} />
      <p class="soft">
        {count(inside, 'item')} of at most {whole(limit)} between input and output.
      </p>
      {blockedBy && (
        <p class="blocked">
          Item {whole(blockedBy.item)} blocks the output.{' '}
          {blockedBy.device ? (
            <>
              <bdi>{blockedBy.device}</bdi> has had it for {duration(blockedBy.seconds)}.
            </>
          ) : (
            'No device has it.'
          )}
        </p>
      )}
    </section>
  );
}

function WindowBar({ window: { inProgress, waiting, limit } }: { window: WindowFigures }) {
  const share = (n: number) => ({ width: `${Math.min(100, (n * 100) / Math.max(limit, 1))}%` });
  const full = percent(Math.min(1, (inProgress + waiting) / Math.max(limit, 1)));
  return (
    <div class="bar window-bar" role="img" aria-label={`The window is ${full} full.`}>
      <div class="waiting" style={share(waiting)} />
      <div class="in-progress" style={share(inProgress)} />
    </div>
  );
}
