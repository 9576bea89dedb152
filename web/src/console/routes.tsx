// All sections of the console, found by their `section.tsx`, and the routes made of them.
import { Fragment } from 'react';
import type { RouteObject } from 'react-router';
import { GROUPS, type MenuEntry, type Section } from './section';
import { Guarded } from './app/Guarded';

const found = import.meta.glob<{ default: Section }>('./*/section.tsx', { eager: true });
const sections: Section[] = Object.values(found).map((module) => module.default);

export const menu: MenuEntry[] = sections
  .flatMap((section) => section.menu)
  .sort((a, b) => GROUPS.indexOf(a.group) - GROUPS.indexOf(b.group) || a.order - b.order);

/** Prefix of an id → path of its page. */
export const opens: Record<string, string> = Object.assign(
  {},
  ...sections.map((section) => section.opens),
);

/** Messages and dialogs come with the first page that may show one. */
const withApp = async () => (await import('@/shared/WithApp')).WithApp;

export const sectionRoutes: RouteObject[] = sections.flatMap((section) =>
  section.routes.map(({ path, lazy, anyOf, plain }) => ({
    path,
    lazy: async () => {
      const [{ Component }, Frame] = await Promise.all([lazy(), plain ? Fragment : withApp()]);
      return {
        element: (
          <Guarded anyOf={anyOf ?? []}>
            <Frame>
              <Component />
            </Frame>
          </Guarded>
        ),
      };
    },
  })),
);
