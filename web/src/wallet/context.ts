// Whose wallet it is, and what it holds.
import { createContext, use } from 'react';
import type { Card, Session } from './api';

export interface Wallet {
  session: Session;
  cards: Card[];
  /** Reads the cards again. */
  reload: () => Promise<void>;
  /** Called when the server no longer knows the session. */
  onExpired: () => void;
}

export const WalletContext = createContext<Wallet | undefined>(undefined);

export function useWallet(): Wallet {
  const wallet = use(WalletContext);
  if (!wallet) throw new Error('outside of the wallet');
  return wallet;
}
