// What the API client must know of the session, in memory only: the CSRF token, and how to ask the person to
// log in again when the session has ended. The dialog registers itself here, so that the client needs no React.

let token: string | undefined;
let askToLogIn: (() => Promise<boolean>) | undefined;
let asking: Promise<boolean> | undefined;

export const csrfToken = () => token;
export function setCsrfToken(value: string | undefined) {
  token = value;
}

/** The session dialog: resolves to true once the same person has logged in again. */
export function onSessionEnd(ask: () => Promise<boolean>) {
  askToLogIn = ask;
  return () => {
    askToLogIn = undefined;
  };
}

/** All requests that fail at the same moment share one dialog. */
export function loginAgain(): Promise<boolean> {
  if (!askToLogIn || !token) return Promise.resolve(false);
  asking ??= askToLogIn().finally(() => {
    asking = undefined;
  });
  return asking;
}
