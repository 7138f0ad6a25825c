import js from '@eslint/js';
import hooks from 'eslint-plugin-react-hooks';
import ts from 'typescript-eslint';

/** What a strict content security policy and a careful app never do, said where the compiler cannot. */
const never = [
  { selector: 'JSXAttribute[name.name="style"]', message: 'the policy allows no style attribute: use a class, or useCss' },
  { selector: 'JSXAttribute[name.name="dangerouslySetInnerHTML"]', message: 'text is text' },
  { selector: 'MemberExpression[property.name="geolocation"]', message: 'browsers ask a third party where they are' },
];

export default ts.config(
  { ignores: ['dist', 'node_modules', 'test-artifacts', 'src/api/schema.d.ts'] },
  js.configs.recommended,
  ...ts.configs.strictTypeChecked.map((config) => ({ ...config, files: ['**/*.{ts,tsx}'] })),
  {
    files: ['**/*.{ts,tsx}'],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true }],
      '@typescript-eslint/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true }],
      '@typescript-eslint/no-misused-promises': ['error', { checksVoidReturn: { attributes: false } }],
      'no-restricted-syntax': ['error', ...never],
    },
  },
  {
    files: ['src/**/*.{ts,tsx}'],
    plugins: { 'react-hooks': hooks },
    rules: {
      ...hooks.configs.recommended.rules,
      // what is set after an answer came is no cascade, and the rule does not see the await
      'react-hooks/set-state-in-effect': 'off',
      'no-restricted-globals': [
        'error',
        { name: 'localStorage', message: 'nothing is kept in the browser' },
        { name: 'sessionStorage', message: 'nothing is kept in the browser' },
        { name: 'indexedDB', message: 'nothing is kept in the browser' },
        { name: 'fetch', message: 'call the agent through api/client' },
      ],
    },
  },
  { files: ['src/api/client.ts', 'src/sw.js'], rules: { 'no-restricted-globals': 'off' } },
  { files: ['tools/**', '*.js'], languageOptions: { globals: { process: 'readonly', URL: 'readonly' } } },
  {
    files: ['src/sw.js'],
    languageOptions: { globals: { self: 'readonly', caches: 'readonly', fetch: 'readonly', URL: 'readonly', Promise: 'readonly' } },
  },
);
