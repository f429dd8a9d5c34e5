/** What a terminal shows after a program has written to it. */

/** What a terminal understands of the bytes of `pando`: a new line, the begin of a line, sequences. */
const PARTS = /\u001b\[([?\d;]*)([A-Za-z])|\r|\n|[^\r\n\u001b]+/g;

/** The lines on a terminal of `columns` columns, to which a program has written `text`. */
export function screenOf(text, columns) {
  const lines = [''];
  let at = 0;
  let wraps = true;
  const write = (words) => {
    for (const letter of words) {
      if (at === columns && wraps) (lines.push(''), (at = 0));
      if (at === columns) continue;
      const line = Array.from(lines[lines.length - 1].padEnd(at));
      line[at++] = letter;
      lines[lines.length - 1] = line.join('');
    }
  };
  for (const [part, argument, command] of text.matchAll(PARTS)) {
    if (part === '\r') at = 0;
    else if (part === '\n') (lines.push(''), (at = 0));
    else if (command === 'K') lines[lines.length - 1] = lines[lines.length - 1].slice(0, at);
    else if (argument === '?7') wraps = command === 'h';
    else if (!command) write(part);
  }
  return lines;
}
