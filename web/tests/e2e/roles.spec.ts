// What a person may not do is absent from the screen, and refused by the server where somebody asks all the same.
import { expect, test } from '../fixtures';

interface Expected {
  sees: string[];
  misses: string[];
  /** A page that is not for him. */
  closed: string;
  /** A request that the server refuses him. */
  refused: [method: string, path: string, body: unknown];
}

const BATCH = { program: 'prog_0000000000000', count: 1, face_value: 100 };

const ROLES: Record<string, Expected> = {
  admin: {
    sees: ['Programs', 'Statements', 'Users'],
    misses: ['Issuers'],
    closed: '/no-such-page',
    refused: ['POST', '/v1/issuers', { name: 'x', time_zone: 'Asia/Shanghai' }],
  },
  manager: {
    sees: ['Programs', 'Batches', 'Cards'],
    misses: ['Payouts', 'Users', 'Audit trail'],
    closed: '/users',
    refused: ['POST', '/v1/settlement-runs', {}],
  },
  maker: {
    sees: ['Statements', 'Payouts', 'Reconciliation', 'Reports'],
    misses: ['Users'],
    closed: '/users',
    refused: ['POST', '/v1/payouts/approve', { payouts: ['po_0000000000000'] }],
  },
  checker: {
    sees: ['Approvals', 'Payouts'],
    misses: ['Users'],
    closed: '/users',
    refused: ['POST', '/v1/batches', BATCH],
  },
  service: {
    sees: ['Cards', 'Operations'],
    misses: ['Payouts', 'Users', 'API clients'],
    closed: '/clients',
    refused: ['POST', '/v1/batches', BATCH],
  },
  auditor: {
    sees: ['Audit trail', 'Operations', 'Ledger'],
    misses: [],
    closed: '/no-such-page',
    refused: ['POST', '/v1/merchants', { name: 'x' }],
  },
  merchant: {
    sees: ['Operations', 'Statements'],
    misses: ['Audit trail', 'API clients', 'Reports'],
    closed: '/audit',
    refused: ['POST', '/v1/programs', {}],
  },
};

for (const [role, expected] of Object.entries(ROLES)) {
  test(`${role} meets only what is his @postgres`, async ({ page, signIn, speak }) => {
    await speak('en');
    await signIn(role);
    await page.goto('/');
    const menu = page.getByRole('navigation').first();
    for (const entry of expected.sees) {
      // The menu counts what waits, and other tests leave things to approve.
      const link = menu.getByRole('link', { name: new RegExp(`^${entry}( \\d+)?$`) });
      await expect(link).toBeVisible();
    }
    for (const entry of expected.misses) {
      await expect(page.getByRole('link', { name: entry })).toHaveCount(0);
    }
    await page.goto(expected.closed);
    await expect(page.getByText(/You may not see this page|There is no such page/)).toBeVisible();

    const [method, path, body] = expected.refused;
    const status = await page.evaluate(
      async ([method, path, body]) => {
        const session = await (await fetch('/v1/sessions/current')).json();
        const answer = await fetch(path, {
          method,
          headers: {
            'Content-Type': 'application/json',
            'X-CSRF-Token': session.csrf_token,
            'Idempotency-Key': crypto.randomUUID(),
          },
          body: JSON.stringify(body),
        });
        return answer.status;
      },
      [method, path, body] as const,
    );
    expect(status).toBe(403);
  });
}
