// The few elements that both pages are made of. They are the browser's own, so that keyboards, screen readers
// and phones know them; only their look is ours.
import {
  useEffect,
  useId,
  useLayoutEffect,
  useRef,
  type ButtonHTMLAttributes,
  type InputHTMLAttributes,
  type ReactNode,
} from 'react';
import styles from './parts.module.css';

export const parts = styles;

const classes = (...names: (string | false | undefined)[]) => names.filter(Boolean).join(' ');

/** Has the keys from when it appears. By itself a browser heeds `autofocus` once, while the page loads. */
export function useFirstFocus<T extends HTMLElement>(wanted: boolean | undefined) {
  const element = useRef<T>(null);
  const first = useRef(wanted);
  useLayoutEffect(() => {
    if (first.current) element.current?.focus();
  }, []);
  return element;
}

interface ButtonProps extends ButtonHTMLAttributes<HTMLButtonElement> {
  look?: 'primary' | 'danger' | 'quiet';
  wide?: boolean;
  large?: boolean;
}

export function Button({ look, wide, large, className, type = 'button', ...rest }: ButtonProps) {
  const names = classes(
    styles.button,
    look && styles[look],
    wide && styles.wide,
    large && styles.large,
    className,
  );
  const element = useFirstFocus<HTMLButtonElement>(rest.autoFocus);
  return <button ref={element} type={type} className={names} {...rest} />;
}

interface FieldProps extends InputHTMLAttributes<HTMLInputElement> {
  label: string;
  hint?: ReactNode;
  wrong?: string | undefined;
  /** A number that is read digit by digit: large. */
  digits?: boolean;
}

/** A labelled input whose hint and error are read out with it. */
export function Field({ label, hint, wrong, digits, className, ...rest }: FieldProps) {
  const id = useId();
  const element = useFirstFocus<HTMLInputElement>(rest.autoFocus);
  const described = classes(hint ? `${id}-hint` : undefined, wrong ? `${id}-wrong` : undefined);
  return (
    <div className={styles.field}>
      <label className={styles.label} htmlFor={id}>
        {label}
      </label>
      <input
        ref={element}
        id={id}
        className={classes(styles.input, digits && styles.digits, className)}
        aria-invalid={wrong ? true : undefined}
        aria-describedby={described || undefined}
        autoComplete="off"
        autoCapitalize="off"
        spellCheck={false}
        {...rest}
      />
      {hint && (
        <span id={`${id}-hint`} className={styles.hint}>
          {hint}
        </span>
      )}
      {wrong && (
        <span id={`${id}-wrong`} className={styles.wrong} role="alert">
          {wrong}
        </span>
      )}
    </div>
  );
}

interface NoticeProps {
  tone?: 'good' | 'warn' | 'bad';
  title?: ReactNode;
  children?: ReactNode;
}

/** Something to know. What went wrong interrupts a screen reader; everything else waits its turn. */
export function Notice({ tone, title, children }: NoticeProps) {
  return (
    <div
      className={classes(styles.notice, tone && styles[tone])}
      role={tone === 'bad' ? 'alert' : 'status'}
    >
      {title && <strong>{title}</strong>}
      {children}
    </div>
  );
}

/** A question above the page. The browser's dialog keeps the focus inside and closes with Escape. */
export function Dialog({
  title,
  onClose,
  children,
}: {
  title: string;
  onClose: () => void;
  children: ReactNode;
}) {
  const dialog = useRef<HTMLDialogElement>(null);
  const id = useId();
  useEffect(() => {
    const element = dialog.current;
    if (element && !element.open) element.showModal();
    return () => element?.close();
  }, []);
  return (
    <dialog
      ref={dialog}
      className={styles.dialog}
      aria-labelledby={id}
      onCancel={(event) => {
        event.preventDefault();
        onClose();
      }}
    >
      <div className={styles.stack}>
        <h2 id={id}>{title}</h2>
        {children}
      </div>
    </dialog>
  );
}

export function Waiting({ children }: { children: ReactNode }) {
  return (
    <div className={styles.waiting} role="status" aria-busy="true">
      <div className={styles.spinner} aria-hidden="true" />
      <div>{children}</div>
    </div>
  );
}

interface SegmentsProps<T extends string> {
  label: string;
  value: T;
  options: { value: T; text: string; label?: string }[];
  onChange: (value: T) => void;
}

export function Segments<T extends string>({ label, value, options, onChange }: SegmentsProps<T>) {
  return (
    <div className={styles.segments} role="group" aria-label={label}>
      {options.map((option) => (
        <button
          key={option.value}
          type="button"
          aria-pressed={option.value === value}
          aria-label={option.label}
          onClick={() => onChange(option.value)}
        >
          {option.text}
        </button>
      ))}
    </div>
  );
}
