import { expect, it } from 'vitest';
import { split } from './server-events';

it.each([
  ['event: tick\ndata: {}\n\n', 1, ''],
  ['event: tick\r\ndata: {}\r\n\r\n', 1, ''],
  [': \n\nretry: 2000\nevent: tick\ndata: {}\n\nevent: ti', 1, 'event: ti'],
  [':\n\n', 0, ''],
  ['event: tick\ndata: {}', 0, 'event: tick\ndata: {}'],
  ['data: 1\n\ndata: 2\n\n', 2, ''],
])('%j has %d events', (text, events, rest) => {
  expect(split(text)).toEqual({ events, rest });
});
