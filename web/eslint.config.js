import hooks from 'eslint-plugin-react-hooks';
import tseslint from 'typescript-eslint';

export default tseslint.config(
  { ignores: ['dist', 'src/api/schema.d.ts', 'node_modules', 'test-results', 'playwright-report'] },
  ...tseslint.configs.recommended,
  hooks.configs.flat['recommended-latest'],
  {
    rules: {
      'no-restricted-globals': [
        'error',
        {
          name: 'localStorage',
          message: 'Only src/shared/settings.ts writes there, and never a secret.',
        },
        { name: 'sessionStorage', message: 'Nothing is kept there.' },
      ],
      'no-restricted-syntax': [
        'error',
        {
          selector: 'JSXAttribute[name.name="dangerouslySetInnerHTML"]',
          message: 'Text from the server is never html.',
        },
      ],
      eqeqeq: ['error', 'always', { null: 'ignore' }],
    },
  },
  {
    // What they keep is described there, and a test holds it to that.
    files: [
      'src/shared/settings.ts',
      'src/shared/kept.ts',
      'src/till/journal.ts',
      'src/handheld/preference.ts',
    ],
    rules: { 'no-restricted-globals': 'off' },
  },
  {
    // Tests look into storage to see that nothing is there, and Playwright's `use` is no hook.
    files: ['tests/**'],
    rules: { 'no-restricted-globals': 'off', 'react-hooks/rules-of-hooks': 'off' },
  },
);
