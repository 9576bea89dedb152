// Entry of the wallet.
import { start } from '@/handheld/start';
import { App } from './App';
import { walletTexts } from './words';

start(walletTexts.start, <App />);

// Keeps the page itself for when there is no network. Only what was built: in development files change.
if (import.meta.env.PROD && 'serviceWorker' in navigator) {
  navigator.serviceWorker.register('/wallet-worker.js', { scope: '/wallet' }).catch(() => {
    // Without it the wallet needs the network to open, and says so.
  });
}
