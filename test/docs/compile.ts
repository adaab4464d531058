/** Compiles snippets as strict TypeScript, all in one program. */
import path from 'node:path'
import ts from 'typescript'
import { root } from './pages.ts'

const options: ts.CompilerOptions = {
  target: ts.ScriptTarget.ES2023,
  lib: ['lib.es2023.d.ts', 'lib.dom.d.ts', 'lib.dom.iterable.d.ts'],
  module: ts.ModuleKind.NodeNext,
  types: ['node'],
  strict: true,
  skipLibCheck: true,
  noEmit: true,
  allowImportingTsExtensions: true,
  paths: {
    'fastify-tus': [path.join(root, 'plugin/index.ts')],
    'fastify-tus/redis': [path.join(root, 'plugin/locks/redis/index.ts')],
    'fastify-tus/s3': [path.join(root, 'plugin/stores/s3/index.ts')]
  }
}

/**
 * @param sources - code by the path of a file from the root of the repository; none of them has to exist
 * @returns what is wrong with these files
 */
export function compile (sources: ReadonlyMap<string, string>): string[] {
  const virtual = new Map([...sources].map(([name, code]) => [path.join(root, name), code]))
  const host = ts.createCompilerHost(options)
  const { fileExists, readFile } = host
  host.fileExists = (file) => virtual.has(file) || fileExists(file)
  host.readFile = (file) => virtual.get(file) ?? readFile(file)
  // In the eyes of the resolver, a folder that does not exist holds no file.
  host.directoryExists = () => true
  const program = ts.createProgram([...virtual.keys(), path.join(root, 'test/docs/not-installed.d.ts')], options, host)
  const ofFiles = [...virtual.keys()].flatMap((file) => {
    const source = program.getSourceFile(file)
    return [...program.getSyntacticDiagnostics(source), ...program.getSemanticDiagnostics(source)]
  })
  const diagnostics = [...program.getOptionsDiagnostics(), ...program.getGlobalDiagnostics(), ...ofFiles]
  return diagnostics.map(({ file, start, messageText }) => {
    const line = file === undefined || start === undefined ? 0 : file.getLineAndCharacterOfPosition(start).line + 1
    const place = file === undefined ? '' : `${path.relative(root, file.fileName)}:${line}: `
    return `${place}${ts.flattenDiagnosticMessageText(messageText, ' ')}`
  })
}
