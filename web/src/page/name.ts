/** Guesses what a person would call this device: "Android Chrome", "iPad Safari". */

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

/** Browsers that name others beside themselves come first. */
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
  // An iPad asks for desktop pages by the name of a Mac, which has no touch screen.
  if (device === 'Mac' && touchPoints > 1) device = 'iPad';
  const browser = first(BROWSERS, userAgent);
  return browser ? `${device} ${browser}` : device;
}

function first(guesses: Guess[], userAgent: string): string | undefined {
  const found = guesses.find(([pattern]) => pattern.test(userAgent));
  return found && found[1];
}
