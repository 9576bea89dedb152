// A dialog for people without a mouse: it begins in its first field, and gives the focus back to what opened it. The
// library's own gives it back only where the dialog stays in the page and is closed there.
import { Modal, type ModalProps } from 'antd';
import { useEffect, useRef, useState } from 'react';

/** A field that can be typed into or chosen from; a list to choose from is read-only to the keyboard as well. */
const FIELD =
  'input:not([disabled], [type="hidden"], [readonly]), input[role="combobox"]:not([disabled]), textarea:not([disabled])';

export function Dialog({ afterOpenChange, children, ...rest }: ModalProps) {
  const content = useRef<HTMLDivElement>(null);
  const [opener] = useState(() => document.activeElement as HTMLElement | null);
  useEffect(
    () => () => {
      if (document.activeElement !== document.body) return;
      // What was done may have taken the button away: the page itself is next best.
      if (opener?.isConnected) opener.focus();
      else document.getElementById('main')?.focus();
    },
    [opener],
  );
  const begin = (open: boolean) => {
    const at = document.activeElement;
    const inField = content.current?.contains(at) && at?.matches(FIELD);
    if (open && !inField) content.current?.querySelector<HTMLElement>(FIELD)?.focus();
    afterOpenChange?.(open);
  };
  return (
    <Modal {...rest} afterOpenChange={begin}>
      <div ref={content} className="dialog">
        {children}
      </div>
    </Modal>
  );
}
