// The till's texts.
import { texts } from '@/handheld/texts';
import en from '@/locales/en/till.json';
import zh from '@/locales/zh/till.json';

export type TillText = keyof typeof en;

export const tillTexts = texts<TillText>({ zh, en });

export const useWords = tillTexts.useTexts;
