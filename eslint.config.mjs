/** How the TypeScript is checked; which floor may import which is written down here. */
import js from '@eslint/js';
import hooks from 'eslint-plugin-react-hooks';
import tseslint from 'typescript-eslint';

/** plugins -> panels -> views -> models -> api, charts beneath views; tokens and types are for everybody. */
const FLOORS = {
  api: ['models', 'charts', 'views', 'panels', 'plugins', 'tokens', 'widget'],
  models: ['charts', 'views', 'panels', 'plugins', 'tokens', 'widget'],
  charts: ['models', 'views', 'panels', 'plugins', 'tokens', 'widget'],
  views: ['panels', 'plugins', 'widget'],
  panels: ['plugins', 'widget'],
  plugins: ['widget'],
  widget: ['api', 'models', 'charts', 'views', 'panels', 'plugins', 'tokens']
};

const directions = Object.entries(FLOORS).map(([floor, above]) => ({
  files: [`src/${floor}/**/*.{ts,tsx}`],
  rules: {
    'no-restricted-imports': [
      'error',
      {
        patterns: [
          {
            regex: `^(\\.\\./)+(${above.join('|')})(/|$)`,
            message: `src/${floor} may not import this: plugins -> panels -> views -> models -> api, charts beneath views.`
          }
        ]
      }
    ]
  }
}));

export default tseslint.config(
  { ignores: ['lib', 'node_modules', '**/node_modules', 'jupyter_mlstudio', 'src/api/schema.ts'] },
  js.configs.recommended,
  ...tseslint.configs.strict,
  ...tseslint.configs.stylistic,
  {
    files: ['**/*.{ts,tsx}'],
    plugins: { 'react-hooks': hooks },
    rules: {
      ...hooks.configs.recommended.rules,
      'react-hooks/exhaustive-deps': 'error',
      '@typescript-eslint/no-empty-function': 'off',
      // Loops over numbers index arrays whose length they have just read.
      '@typescript-eslint/no-non-null-assertion': 'off',
      '@typescript-eslint/no-invalid-void-type': 'off',
      // A getter that a subclass overrides is no constant.
      '@typescript-eslint/class-literal-property-style': 'off',
      '@typescript-eslint/consistent-type-imports': ['error', { fixStyle: 'inline-type-imports' }],
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_' }],
      'no-console': ['error', { allow: ['warn', 'error'] }],
      'no-restricted-properties': [
        'error',
        { property: 'innerHTML', message: 'Text only: React escapes it.' },
        { property: 'outerHTML', message: 'Text only: React escapes it.' },
        { property: 'insertAdjacentHTML', message: 'Text only: React escapes it.' }
      ],
      'no-restricted-syntax': [
        'error',
        {
          selector: 'JSXAttribute[name.name="dangerouslySetInnerHTML"]',
          message: 'Text only: React escapes it.'
        }
      ]
    }
  },
  ...directions
);
