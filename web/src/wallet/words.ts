// The wallet's texts.
import { texts } from '@/handheld/texts';
import en from '@/locales/en/wallet.json';
import zh from '@/locales/zh/wallet.json';

export type WalletText = keyof typeof en;

export const walletTexts = texts<WalletText>({ zh, en });

export const useWords = walletTexts.useTexts;
