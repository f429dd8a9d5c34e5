import type { PrintedLine } from '../data.ts';
import { clock, whole } from '../format.ts';
import { useEnd } from './hooks.ts';

/** What the function prints on all devices; the newest line is at the end. */
export function PrintedLines({ lines }: { lines: PrintedLine[] }) {
  const list = useEnd<HTMLOListElement>();
  return (
    <section class="card prints" aria-labelledby="prints">
      <h2 id="prints">Output of the function</h2>
      {lines.length === 0 ? (
        <p class="soft">The function has printed nothing.</p>
      ) : (
        <ol ref={list} class="scroll log" tabIndex={0} aria-label="What the function printed">
          {lines.map((line) => (
            <Line key={line.number} line={line} />
          ))}
        </ol>
      )}
    </section>
  );
}

function Line({ line }: { line: PrintedLine }) {
  const { device, item, level, text, time, count } = line;
  const isBad = level === 'error' || level === 'warn';
  return (
    <li class={isBad ? 'bad' : ''}>
      <span class="where">
        <time>{clock(time)}</time> <bdi>{device}</bdi>
        {item ? ` item ${whole(item)}` : ''}
        {isBad ? ` ${level === 'warn' ? 'warning' : 'error'}` : ''}
        {count > 1 ? ` (${whole(count)} times)` : ''}
      </span>
      <bdi class="text">{text}</bdi>
    </li>
  );
}
