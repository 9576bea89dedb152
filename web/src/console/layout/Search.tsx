// Search of the console ("/" jumps into it): opens an id directly and finds pages by name. Card numbers are not
// searched here: they may not stand in an address; the page of cards looks them up in a request's body.
import { SearchOutlined } from '@ant-design/icons';
import { useEffect, useId, useRef, useState, type KeyboardEvent } from 'react';
import { useTranslation } from 'react-i18next';
import { useNavigate } from 'react-router';
import { allows, useSession } from '@/shared/session';
import { menu, opens } from '../routes';

interface Hit {
  path: string;
  label: string;
}

function useHits(text: string): Hit[] {
  const { t } = useTranslation('nav');
  const session = useSession();
  const wanted = text.trim().toLowerCase();
  if (!wanted) return [];
  const prefix = /^([a-z]+)_[0-9a-z]+$/.exec(wanted)?.[1];
  const page = prefix ? opens[prefix] : undefined;
  if (page) return [{ path: page + wanted, label: wanted }];
  return menu
    .filter((entry) => allows(session, entry.anyOf))
    .map(({ path, label }) => ({ path, label: t(label) }))
    .filter(({ path, label }) => label.toLowerCase().includes(wanted) || path.includes(wanted))
    .slice(0, 8);
}

/** "/" puts the cursor into the box, unless the person is writing somewhere. */
function useSlash(focus: () => void) {
  useEffect(() => {
    const onKey = (event: globalThis.KeyboardEvent) => {
      const writing = (event.target as HTMLElement).closest(
        'input, textarea, select, [contenteditable=true]',
      );
      if (event.key !== '/' || writing || event.ctrlKey || event.metaKey || event.altKey) return;
      event.preventDefault();
      focus();
    };
    document.addEventListener('keydown', onKey);
    return () => document.removeEventListener('keydown', onKey);
  }, [focus]);
}

export function Search() {
  const { t } = useTranslation();
  const navigate = useNavigate();
  const list = useId();
  const input = useRef<HTMLInputElement>(null);
  const [text, setText] = useState('');
  const [chosen, setChosen] = useState(0);
  const [focus] = useState(() => () => input.current?.focus());
  useSlash(focus);
  const hits = useHits(text);
  const at = Math.min(chosen, hits.length - 1);

  const close = () => {
    setText('');
    setChosen(0);
    input.current?.blur();
  };
  const open = (hit: Hit | undefined) => {
    if (!hit) return;
    close();
    void navigate(hit.path);
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key === 'ArrowDown') setChosen(Math.min(at + 1, hits.length - 1));
    else if (event.key === 'ArrowUp') setChosen(Math.max(at - 1, 0));
    else if (event.key === 'Enter' && !event.nativeEvent.isComposing) open(hits[at]);
    else if (event.key === 'Escape') close();
    else return;
    event.preventDefault();
  };

  return (
    <div className="search" role="search">
      <SearchOutlined aria-hidden="true" />
      <input
        ref={input}
        value={text}
        onChange={(event) => setText(event.target.value)}
        onKeyDown={onKeyDown}
        placeholder={t('search.hint')}
        aria-label={t('search.label')}
        role="combobox"
        aria-autocomplete="list"
        aria-expanded={text !== ''}
        aria-controls={list}
        aria-activedescendant={hits.length > 0 ? `${list}-${at}` : undefined}
        maxLength={80}
        autoComplete="off"
        spellCheck={false}
      />
      <kbd aria-hidden="true">/</kbd>
      <ul id={list} role="listbox" aria-label={t('search.results')} hidden={text === ''}>
        {hits.map((hit, index) => (
          <li
            key={hit.path}
            id={`${list}-${index}`}
            role="option"
            aria-selected={index === at}
            onMouseDown={(event) => {
              event.preventDefault();
              open(hit);
            }}
          >
            {hit.label}
          </li>
        ))}
        {hits.length === 0 && (
          <li role="option" aria-selected="false" aria-disabled="true">
            {t('search.none')}
          </li>
        )}
      </ul>
    </div>
  );
}
