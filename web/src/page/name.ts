/** Guesses a name for this device from its browser: "Android Chrome", "iPad Safari". */

type Guess = [pattern: RegExp, name: string];

const DEVICES: Guess[] = [
  [/iPad/, 'iPad'],
  [/iPhone|iPod/, 'iPhone'],
  [/Android/, 'Android'],
  [/CrOS/, 'Chromebook'],
  [/Windows/, 'Windows'],
  [/Macintosh/, 'Mac'],
  [/Linux/, 'Linux'],
];

/** Browsers whose user agent also names other browsers come first. */
const BROWSERS: Guess[] = [
  [/Edg(e|A|iOS)?\//, 'Edge'],
  [/OPR\/|Opera/, 'Opera'],
  [/SamsungBrowser/, 'Samsung Internet'],
  [/Firefox|FxiOS/, 'Firefox'],
  [/Chrom(e|ium)|CriOS/, 'Chrome'],
  [/Safari/, 'Safari'],
];

export function guessedName(userAgent: string, touchPoints = 0): string {
  let device = first(DEVICES, userAgent) || 'Some device';
  // An iPad may call itself a Mac, but no Mac has a touch screen.
  if (device === 'Mac' && touchPoints > 1) device = 'iPad';
  const browser = first(BROWSERS, userAgent);
  return browser ? `${device} ${browser}` : device;
}

function first(guesses: Guess[], userAgent: string): string | undefined {
  const found = guesses.find(([pattern]) => pattern.test(userAgent));
  return found && found[1];
}
