// Gives style elements that scripts make the page's nonce. antd takes it from `ConfigProvider`, but parts below it
// (measuring a scroll bar, keeping the page behind a dialog still) make theirs without, and the content security
// policy would refuse them. Only our own scripts run here, and they could read the nonce anyway.

/** The nonce that the server put into the page; undefined in development. */
export const nonce = ((content) => (content && !content.startsWith('__') ? content : undefined))(
  document.querySelector<HTMLMetaElement>('meta[name="csp-nonce"]')?.content,
);

if (nonce) {
  const make = document.createElement.bind(document);
  document.createElement = ((name: string, options?: ElementCreationOptions) => {
    const element = make(name, options);
    if (element instanceof HTMLStyleElement) element.nonce = nonce;
    return element;
  }) as typeof document.createElement;
}
