// A button with a menu, by the pattern of the ARIA guide: arrows move, Escape and a click elsewhere close. Written
// here because the library's would be a tenth of all that the first page loads.
import { Button } from 'antd';
import { useEffect, useRef, useState, type KeyboardEvent, type ReactNode } from 'react';

export interface MenuItem {
  key: string;
  label: string;
  /** For a choice among several: whether it is the present one. */
  checked?: boolean;
  onSelect: () => void;
}

interface Props {
  icon: ReactNode;
  label: string;
  children?: ReactNode;
  /** Shown above the items. */
  head?: ReactNode;
  items: MenuItem[];
}

function useClickElsewhere(active: boolean, close: () => void) {
  const box = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (!active) return undefined;
    const onDown = (event: PointerEvent) => {
      if (!box.current?.contains(event.target as Node)) close();
    };
    document.addEventListener('pointerdown', onDown);
    return () => document.removeEventListener('pointerdown', onDown);
  }, [active, close]);
  return box;
}

export function MenuButton({ icon, label, children, head, items }: Props) {
  const [open, setOpen] = useState(false);
  const [close] = useState(() => () => setOpen(false));
  const box = useClickElsewhere(open, close);
  const buttons = () => [...(box.current?.querySelectorAll<HTMLElement>('[role^=menuitem]') ?? [])];
  const trigger = () => box.current?.querySelector<HTMLElement>('[aria-haspopup]');

  useEffect(() => {
    if (open) box.current?.querySelector<HTMLElement>('[role^=menuitem]')?.focus();
  }, [open, box]);

  const onKeyDown = (event: KeyboardEvent) => {
    if (!open) return;
    const all = buttons();
    const at = all.indexOf(document.activeElement as HTMLElement);
    const go = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: -1 }[event.key];
    if (go !== undefined) all.at(go % all.length)?.focus();
    else if (event.key === 'Escape') {
      close();
      trigger()?.focus();
    } else if (event.key === 'Tab') close();
    if (event.key !== 'Tab' && event.key !== 'Enter' && event.key !== ' ') event.preventDefault();
  };

  return (
    <div className="menu-button" ref={box} onKeyDown={onKeyDown}>
      <Button
        type="text"
        icon={icon}
        aria-label={label}
        aria-haspopup="menu"
        aria-expanded={open}
        onClick={() => setOpen(!open)}
      >
        {children}
      </Button>
      {open && (
        <div className="menu-popup">
          {head && <div className="menu-head">{head}</div>}
          <div role="menu" aria-label={label}>
            {items.map((item) => (
              <button
                key={item.key}
                type="button"
                role={item.checked === undefined ? 'menuitem' : 'menuitemradio'}
                aria-checked={item.checked}
                tabIndex={-1}
                onClick={() => {
                  close();
                  trigger()?.focus();
                  item.onSelect();
                }}
              >
                {item.label}
                {item.checked && <span aria-hidden="true">✓</span>}
              </button>
            ))}
          </div>
        </div>
      )}
    </div>
  );
}
