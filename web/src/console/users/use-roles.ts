// Roles by code: users carry codes, people read names.
import { useQuery } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';
import { client, unwrap } from '@/api/client';
import type { Role } from '@/api/pending';
import { useSession } from '@/shared/session';

export const ROLES = ['roles'];

export function useRoles() {
  const query = useQuery({
    queryKey: ROLES,
    queryFn: ({ signal }) => unwrap(client.GET('/v1/roles', { signal })),
  });
  const { i18n } = useTranslation();
  const nameOf = (role: Pick<Role, 'name_zh' | 'name_en'>) =>
    i18n.language === 'zh' ? role.name_zh : role.name_en;
  const roles = query.data?.items;
  const named = (code: string) => {
    const role = roles?.find((entry) => entry.code === code);
    return role ? nameOf(role) : code;
  };
  return { query, roles, named, nameOf };
}

/** Nobody can give what he does not have himself: such roles are not offered. */
export function useGrantable(roles: Role[] | undefined): Role[] {
  const { permissions } = useSession();
  const own: readonly string[] = permissions;
  return (
    roles?.filter((role) => role.permissions.every((permission) => own.includes(permission))) ?? []
  );
}
