import type { FailedAttempt } from '../../monitor/data.ts';
import { count, whole } from '../../monitor/format.ts';
import { moment } from '../axes.ts';
import type { ReportData } from '../data.ts';

/** What failed, or was computed again. */
export function FailedAttempts({ data }: { data: ReportData }) {
  const { failed, failedItems, failedAttempts, lentAgain, copies } = data.summary;
  const { last } = data.snapshot.failures;
  const more = failedItems.length < failed ? ', …' : '';
  const items = `${count(failed, 'failed item')}${failed > 0 ? ` (${failedItems.join(', ')}${more})` : ''}`;
  const isAny = failed > 0 || failedAttempts > 0;
  const facts = [
    ...(isAny ? [items, count(failedAttempts, 'failed attempt')] : ['No attempt has failed']),
    ...(lentAgain > 0 ? [`${whole(lentAgain)} lent again, because their devices left`] : []),
    ...(copies > 0 ? [`${whole(copies)} computed twice`] : []),
  ];
  return (
    <section class="card failed" aria-labelledby="failures">
      <h2 id="failures">Failures</h2>
      <p class="soft">{facts.join(', ')}.</p>
      {last.length < failedAttempts && (
        <p class="soft">The last {whole(last.length)} failed attempts:</p>
      )}
      <ol reversed>
        {[...last].reverse().map((attempt) => (
          <Attempt key={attempt.number} attempt={attempt} length={data.snapshot.elapsed} />
        ))}
      </ol>
    </section>
  );
}

function Attempt({ attempt, length }: { attempt: FailedAttempt; length: number }) {
  const { item, device, message, input, stack, time } = attempt;
  return (
    <li>
      <p class="where">
        Item {whole(item)} · <bdi>{device}</bdi> · <time>{moment(time, length)}</time>
      </p>
      <p class="message">
        <bdi>{message}</bdi>
      </p>
      <dl>
        <dt>Input</dt>
        <dd>
          <pre>{input}</pre>
        </dd>
        {stack && (
          <>
            <dt>Stack</dt>
            <dd>
              <pre>{stack}</pre>
            </dd>
          </>
        )}
      </dl>
    </li>
  );
}
