import { describe, expect, it } from 'vitest';
import { Journal, MAX_UNSETTLED, type Shelf, type Unsettled } from './journal';

function shelf(): Shelf & { texts: Map<string, string> } {
  const texts = new Map<string, string>();
  return {
    texts,
    getItem: (key) => texts.get(key) ?? null,
    setItem: (key, value) => void texts.set(key, value),
  };
}

const entry = (key: string): Unsettled => ({
  key,
  reversalKey: `r-${key}`,
  kind: 'sale',
  amount: 3500,
  currency: 'CNY',
  last4: '1111',
  at: '2026-11-23T01:02:03Z',
  user: 'user_1',
  userName: '小王',
});

describe('the journal of unanswered requests', () => {
  it('is there after a reload, until it is settled', () => {
    const place = shelf();
    expect(new Journal(place).add(entry('a'))).toBe(true);
    const reloaded = new Journal(place);
    expect(reloaded.entries).toEqual([entry('a')]);
    reloaded.remove('a');
    expect(new Journal(place).entries).toEqual([]);
  });

  it('never keeps a card number or a PIN, whatever it is handed', () => {
    const place = shelf();
    const careless = { ...entry('a'), card: { number: '4111111111111111' }, pin: '493817' };
    new Journal(place).add(careless);
    const written = [...place.texts.values()].join();
    expect(written).toContain('1111');
    expect(written).not.toContain('4111111111111111');
    expect(written).not.toContain('493817');
  });

  it('keeps what two pages write', () => {
    const place = shelf();
    const [one, two] = [new Journal(place), new Journal(place)];
    one.add(entry('a'));
    two.add(entry('b'));
    expect(new Journal(place).entries.map((kept) => kept.key)).toEqual(['a', 'b']);
  });

  it('says so when it can keep nothing more', () => {
    const journal = new Journal(shelf());
    for (let i = 0; i < MAX_UNSETTLED; i++) expect(journal.add(entry(`k${i}`))).toBe(true);
    expect(journal.add(entry('one too many'))).toBe(false);
    const full: Shelf = {
      getItem: () => null,
      setItem: () => {
        throw new Error('full');
      },
    };
    expect(new Journal(full).add(entry('a'))).toBe(false);
  });

  it('survives storage that something else wrote to', () => {
    const place = shelf();
    for (const text of ['{', '7', '[null, {"key": 1}]', 'null']) {
      place.setItem('hexiao.till.unsettled', text);
      expect(new Journal(place).entries).toEqual([]);
    }
  });
});
