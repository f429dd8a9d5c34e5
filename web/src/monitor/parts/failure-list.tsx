import type { FailedAttempt, Failures } from '../data.ts';
import { clock, count, whole } from '../format.ts';

/** The newest failed attempts, each with its input, device, message and stack. */
export function FailureList({ failures }: { failures: Failures }) {
  const { items, attempts, lentAgain, copies, last } = failures;
  const failed = [count(items, 'failed item'), count(attempts, 'failed attempt')];
  const facts = [
    ...(attempts > 0 ? failed : ['No attempt has failed']),
    ...(lentAgain > 0 ? [`${whole(lentAgain)} lent again`] : []),
    ...(copies > 0 ? [`${whole(copies)} computed twice`] : []),
  ];
  return (
    <section class="card failures" aria-labelledby="failures">
      <h2 id="failures">Failures</h2>
      <p class="soft">{facts.join(', ')}.</p>
      {last.length > 0 && (
        <ol class="scroll" tabIndex={0} aria-label="The newest failed attempts" reversed>
          {[...last].reverse().map((failure) => (
            <li key={failure.number}>
              <Failure failure={failure} />
            </li>
          ))}
        </ol>
      )}
    </section>
  );
}

function Failure({ failure }: { failure: FailedAttempt }) {
  const { item, device, message, input, stack, time } = failure;
  return (
    <details>
      <summary>
        <span class="where">
          Item {whole(item)} · <bdi>{device}</bdi> · <time>{clock(time)}</time>
        </span>
        <bdi class="message">{message}</bdi>
      </summary>
      <dl>
        <dt>Input</dt>
        <dd>
          <pre>{input}</pre>
        </dd>
        <dt>{stack ? 'Stack' : 'Message'}</dt>
        <dd>
          <pre>{stack || message}</pre>
        </dd>
      </dl>
    </details>
  );
}
