// "Chrome 156 · Linux" out of what a browser says of itself: for people who look whether a session is theirs.

/** The first that fits: most say that they are Safari as well, and some that they are Chrome. */
const BROWSERS: readonly (readonly [name: string, version: RegExp])[] = [
  ['Edge', /Edg(?:e|A|iOS)?\/(\d+)/],
  ['Opera', /OPR\/(\d+)/],
  ['WeChat', /MicroMessenger\/(\d+)/],
  ['Firefox', /(?:Firefox|FxiOS)\/(\d+)/],
  ['Chrome', /(?:HeadlessChrome|Chrome|CriOS)\/(\d+)/],
  ['Safari', /Version\/(\d+).*Safari\//],
];
const SYSTEMS: readonly (readonly [name: string, sign: RegExp])[] = [
  ['iOS', /iPhone|iPad/],
  ['Android', /Android/],
  ['HarmonyOS', /HarmonyOS|OpenHarmony/],
  ['Windows', /Windows/],
  ['macOS', /Mac OS X/],
  ['Linux', /Linux|X11/],
];

/** What is no browser that is known stays as it is. */
export function browserName(agent: string): string {
  const browser = BROWSERS.find(([, version]) => version.test(agent));
  if (!browser) return agent;
  const [name, pattern] = browser;
  const system = SYSTEMS.find(([, sign]) => sign.test(agent))?.[0];
  return [`${name} ${pattern.exec(agent)?.[1]}`, system].filter(Boolean).join(' · ');
}
