// Entry of the till.
import { start } from '@/handheld/start';
import { App } from './App';
import { tillTexts } from './words';

start(tillTexts.start, <App />);
