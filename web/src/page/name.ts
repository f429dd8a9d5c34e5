/** Guesses a name for this device from its browser: "Android Chrome", "iPad Safari". */

/** Words of user agents, in which the first known word counts, and names for some of them. */
const DEVICES = 'iPad iPhone iPod=iPhone Android CrOS=Chromebook Windows Macintosh=Mac Linux';
/** Browsers whose user agent also names other browsers come first. */
const BROWSERS =
  'Edg=Edge OPR=Opera Opera SamsungBrowser=Samsung_Internet Firefox FxiOS=Firefox Chrom=Chrome CriOS=Chrome Safari';

export function guessedName(userAgent: string, touchPoints = 0): string {
  let device = first(DEVICES, userAgent) || 'Some device';
  // An iPad may call itself a Mac, but no Mac has a touch screen.
  if (device === 'Mac' && touchPoints > 1) device = 'iPad';
  return `${device} ${first(BROWSERS, userAgent)}`.trim();
}

function first(words: string, userAgent: string): string {
  const guesses = words.split(' ').map((word) => word.split('='));
  const [word = '', name = word] = guesses.find(([word]) => userAgent.includes(word)) || [];
  return name.replace('_', ' ');
}
