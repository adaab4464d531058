import markdown from '@eslint/markdown'
import neostandard, { resolveIgnoresFromGitignore } from 'neostandard'
import tseslint from 'typescript-eslint'
import plainWords from './eslint/plain-words.js'

// The floors of the plugin: imports only go down. Each row: a folder, and the folders that it must not import from.
const floors = [
  ['plugin', ['src', 'client', 'example-client', 'conformance', 'test', 'bench']],
  ['plugin/http', ['protocols', 'download']],
  ['plugin/download', ['protocols']],
  ['plugin/uploads', ['protocols', 'download', 'http']],
  ['plugin/stores', ['protocols', 'download', 'http', 'uploads', 'locks']],
  ['plugin/locks', ['protocols', 'download', 'http', 'uploads', 'stores']]
]

/** ESLint applies the last configuration of a rule that matches a file: a folder repeats what is above it. */
const forbiddenIn = (folder) => floors.flatMap(([parent, above]) => `${folder}/`.startsWith(`${parent}/`) ? above : [])

const code = ['**/*.{js,cjs,ts}']

export default [
  { ignores: [...resolveIgnoresFromGitignore(), 'test/types/**'] },
  // neostandard names no files in its rules for JavaScript, and ESLint would apply these to Markdown.
  ...neostandard({ ts: true, noJsx: true }).map((config) => ({ files: code, ...config })),
  {
    files: ['**/*.md'],
    language: 'markdown/gfm',
    plugins: { markdown }
  },
  {
    files: [...code, '**/*.md'],
    ignores: ['eslint/words.js'],
    plugins: { local: { rules: { 'plain-words': plainWords } } },
    rules: {
      'local/plain-words': 'error'
    }
  },
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
  ...floors.map(([folder]) => ({
    files: [`${folder}/**/*.ts`],
    rules: {
      'no-restricted-imports': ['error', {
        patterns: [{
          regex: `^\\.\\.?/(.*/)?(${forbiddenIn(folder).join('|')})/`,
          message: 'Imports only go down the floors: see docs/internals/architecture.md.'
        }]
      }]
    }
  }))
]
