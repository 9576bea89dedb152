// What a page folder tells the console about itself. Each folder has a `section.tsx` whose default export is a
// `Section`; `routes.tsx` finds them all. The pages themselves are loaded when first opened.
import type { ComponentType, ReactNode } from 'react';
import type { Permission } from '@/shared/session';

/** Groups of the menu, in their order. */
export const GROUPS = ['overview', 'cards', 'merchants', 'finance', 'admin'] as const;
export type Group = (typeof GROUPS)[number];

export interface MenuEntry {
  path: string;
  /** A key of the locale `nav`. */
  label: string;
  icon: ReactNode;
  group: Group;
  /** Place within the group, by tens. */
  order: number;
  /** Who has none of these does not see the entry. Empty: everybody. */
  anyOf: readonly Permission[];
  /** A number beside the entry that waits for this person, e.g. open approvals. */
  badge?: ComponentType;
}

export interface SectionRoute {
  /** Without the leading slash: `programs/:id`. */
  path: string;
  /** `() => import('./ProgramPage')`; the module exports `Component`. */
  lazy: () => Promise<{ Component: ComponentType }>;
  anyOf?: readonly Permission[];
  /** The page uses no `App.useApp()`; it then loads faster. */
  plain?: boolean;
}

export interface Section {
  menu: MenuEntry[];
  routes: SectionRoute[];
  /** Prefixes of ids that the search box opens directly: `{ card: '/cards/' }`. */
  opens?: Record<string, string>;
}
