import { join } from 'node:path'
import { defineConfig } from 'vite'

const server = 'http://127.0.0.1:1080'

export default defineConfig({
  // Relative, so that the page also works below a path.
  base: './',
  build: {
    outDir: '../dist/client',
    emptyOutDir: true,
    target: 'es2023',
    rollupOptions: { input: ['index.html', 'watch.html'].map(page => join(import.meta.dirname, page)) }
  },
  server: {
    // For `npm run dev` next to `npx vite example-client`. With another PREFIX, open the page with ?endpoint=.
    proxy: { '/files': server, '/config.json': server }
  }
})
