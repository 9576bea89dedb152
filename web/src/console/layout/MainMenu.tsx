// The menu: groups of entries that the person may use. Plain links, so that they open in a new tab too.
import { useTranslation } from 'react-i18next';
import { NavLink } from 'react-router';
import { allows, useSession } from '@/shared/session';
import { menu } from '../routes';
import { GROUPS } from '../section';

export function MainMenu({ onOpen }: { onOpen?: () => void }) {
  const { t } = useTranslation('nav');
  const session = useSession();
  const allowed = menu.filter((entry) => allows(session, entry.anyOf));
  return GROUPS.map((group) => {
    const entries = allowed.filter((entry) => entry.group === group);
    if (entries.length === 0) return null;
    return (
      <div key={group} className="menu-group">
        <h2 id={`menu-${group}`}>{t(`group.${group}`)}</h2>
        <ul aria-labelledby={`menu-${group}`}>
          {entries.map(({ path, label, icon, badge: Badge }) => (
            <li key={path}>
              <NavLink to={path} onClick={onOpen}>
                <span className="menu-icon" aria-hidden="true">
                  {icon}
                </span>
                <span className="menu-label">{t(label)}</span>
                {Badge && <Badge />}
              </NavLink>
            </li>
          ))}
        </ul>
      </div>
    );
  });
}
