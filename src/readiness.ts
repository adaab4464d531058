import type { FastifyInstance } from 'fastify'

/**
 * Serves `/readyz`: 200 if uploads can be stored now, otherwise 503. A load balancer sends requests to ready servers
 * only; a server that is not ready may still be healthy.
 * @param check - rejects if they cannot
 */
export function serveReadiness (fastify: FastifyInstance, check: () => Promise<void>): void {
  let isClosing = false
  fastify.addHook('preClose', async () => { isClosing = true })
  fastify.get('/readyz', async (request, reply) => {
    if (isClosing) return await reply.code(503).send({ status: 'closing' })
    try {
      await check()
      return { status: 'ready' }
    } catch (err) {
      request.log.warn({ err }, 'not ready')
      return await reply.code(503).send({ status: 'unavailable' })
    }
  })
}
