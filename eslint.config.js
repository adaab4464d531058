import neostandard, { resolveIgnoresFromGitignore } from 'neostandard'
import tseslint from 'typescript-eslint'

// The three floors of the plugin: imports only go down. Each row: the folder, and the folders it must not know.
const floors = [
  ['plugin', ['src', 'example-client', 'test', 'bench']],
  ['plugin/download', ['tus-v1']],
  ['plugin/uploads', ['tus-v1', 'download']],
  ['plugin/stores', ['tus-v1', 'download', 'uploads', 'locks']],
  ['plugin/locks', ['tus-v1', 'download', 'uploads', 'stores']]
]

export default [
  ...neostandard({ ts: true, ignores: [...resolveIgnoresFromGitignore(), 'test/types/**'] }),
  {
    files: ['**/*.ts'],
    languageOptions: {
      parserOptions: {
        projectService: true,
        tsconfigRootDir: import.meta.dirname
      }
    },
    plugins: { tseslint: tseslint.plugin },
    rules: {
      '@stylistic/comma-dangle': ['error', 'never'],
      '@stylistic/max-len': ['error', { code: 120, ignoreUrls: true, ignoreTemplateLiterals: true, ignoreRegExpLiterals: true }],
      'tseslint/consistent-type-imports': 'error',
      'tseslint/no-floating-promises': 'error',
      'tseslint/no-misused-promises': 'error',
      'tseslint/switch-exhaustiveness-check': 'error'
    }
  },
  {
    // t.test() and t.rejects() are thenables that tap itself awaits.
    files: ['test/**/*.ts'],
    rules: {
      'tseslint/no-floating-promises': 'off'
    }
  },
  ...floors.map(([folder, above]) => ({
    files: [`${folder}/**/*.ts`],
    rules: {
      'no-restricted-imports': ['error', {
        patterns: [{
          regex: `^\\.\\.?/(.*/)?(${above.join('|')})/`,
          message: 'Imports only go down the floors: see CONTRIBUTING.md.'
        }]
      }]
    }
  }))
]
