import net from 'node:net'
import type { AddressInfo } from 'node:net'

/** A proxy to the server that can be as slow as a test needs, so that there is time for events during an upload. */
export interface Throttle {
  port: number
  /** Bytes per second of each connection to the server; 0: unlimited. */
  rate: number
  /** Closes all connections and drops their buffered bytes. */
  cut: () => void
  close: () => void
}

/** Listens on a free port and forwards to the port of a server, which may be down for a while. */
export async function throttle (serverPort: number, rate = 0): Promise<Throttle> {
  const sockets = new Set<net.Socket>()
  const server = net.createServer(client => {
    const upstream = net.connect(serverPort, '127.0.0.1')
    for (const [socket, other] of [[client, upstream], [upstream, client]] as const) {
      sockets.add(socket)
      socket.on('error', () => {})
      socket.on('close', () => {
        sockets.delete(socket)
        other.destroy()
      })
    }
    upstream.pipe(client)
    client.on('data', bytes => {
      const hasRoom = upstream.write(bytes)
      const delay = result.rate > 0 ? bytes.length / result.rate * 1000 : 0
      if (hasRoom && delay === 0) return
      client.pause()
      const go = () => { setTimeout(() => client.resume(), delay) }
      if (hasRoom) go()
      else upstream.once('drain', go)
    })
    client.on('end', () => upstream.end())
  })
  server.listen(0, '127.0.0.1')
  await new Promise(resolve => server.once('listening', resolve))
  const result: Throttle = {
    port: (server.address() as AddressInfo).port,
    rate,
    cut () {
      for (const socket of sockets) socket.destroy()
    },
    close () {
      server.close()
      result.cut()
    }
  }
  return result
}
