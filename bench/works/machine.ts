/** What the machine itself takes for the bytes of W1: to receive them, and to write them to the page cache. */
import { layouts } from '../layouts.ts'
import { nodePeer } from '../peers.ts'
import { type Contender, fresh } from '../turns.ts'
import { measureAppends, perGib, type Shape } from './appends.ts'

export function machine (shape: Shape): Contender[] {
  const receive = nodePeer('loopback receive alone', process.version, 'receive', layouts.none)
  const write = nodePeer('page cache writes alone', process.version, 'page-cache', layouts.none, { bytes: shape.size })
  return [
    fresh(receive, async (server) => await measureAppends(server, shape)),
    fresh(write, async (server) => {
      await server.ask('write')
      const spent = []
      for (let time = 0; time < shape.times; time++) {
        spent.push(await server.measure(async () => await server.ask('write')))
      }
      return perGib(spent, shape, server.peak)
    })
  ]
}
