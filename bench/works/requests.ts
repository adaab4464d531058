/** Many small requests over several connections. */
import type { Exchange } from '../connection.ts'
import { Connection } from '../connection.ts'
import type { Figures, Metric } from '../figures.ts'
import type { ServerProcess, Spent } from '../server-process.ts'
import { MIB } from '../bytes.ts'

const CONNECTIONS = 16

export const requestMetrics: Metric[] = [
  { name: 'perCpu', unit: 'requests per CPU s', digits: 0, compared: true },
  { name: 'perSecond', unit: 'requests/s', digits: 0, compared: true },
  { name: 'peak', unit: 'peak RSS MiB', digits: 0 }
]

/** Sends `count` requests over several connections; each connection takes the next request. */
export async function sendAll (
  server: ServerProcess, count: number, exchange: (number: number) => Exchange
): Promise<Spent> {
  const connections: Connection[] = []
  for (let i = 0; i < CONNECTIONS; i++) connections.push(await Connection.open(server.port))
  let sent = 0
  const next = (): Exchange | undefined => sent < count ? exchange(sent++) : undefined
  const spent = await server.measure(async () => {
    await Promise.all(connections.map(async (connection) => await connection.series(next)))
  })
  for (const connection of connections) connection.close()
  return spent
}

export function rates ({ user, system, wall }: Spent, count: number, peak: number): Figures {
  return { perCpu: count / (user + system), perSecond: count / wall, peak: peak / MIB }
}
