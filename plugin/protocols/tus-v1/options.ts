import { checksumAlgorithms } from '../../uploads/body/checksum.ts'
import { TUS_VERSION } from './headers.ts'
import type { Handler } from './handler.ts'

/** OPTIONS: core. What this server is able to do; also the answer to a browser's preflight. */
export const options: Handler = async (wire, _request, reply) => {
  const { maxSize } = wire.scope.settings
  reply.header('tus-version', TUS_VERSION)
  if (wire.extensions.size > 0) reply.header('tus-extension', [...wire.extensions].join(','))
  if (wire.extensions.has('checksum')) reply.header('tus-checksum-algorithm', checksumAlgorithms.join(','))
  if (typeof maxSize === 'number' && maxSize !== Infinity) reply.header('tus-max-size', maxSize)
  return reply.code(204).send()
}
