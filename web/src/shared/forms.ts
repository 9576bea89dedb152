// A problem that names a field goes to that field of the form; the rest is shown by `ErrorBox` above it.
import type { FormInstance } from 'antd';
import { asProblem, pointerToName } from '@/api/problem';

/** Marks the field that the problem points at. Returns whether there was one. */
export function markField(form: FormInstance, error: unknown, text: string): boolean {
  const pointer = asProblem(error)?.pointer;
  if (!pointer) return false;
  const name = pointerToName(pointer);
  if (form.getFieldInstance(name) === undefined) return false;
  form.setFields([{ name, errors: [text] }]);
  form.scrollToField(name, { focus: true });
  return true;
}
