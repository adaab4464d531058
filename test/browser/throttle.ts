import net from 'node:net'
import type { AddressInfo } from 'node:net'

/** A way to the server that can be as slow as a test needs, so that there is a middle in which things happen. */
export interface Throttle {
  port: number
  /** Bytes a second that each connection carries to the server; 0: as many as there are. */
  rate: number
  /** Cuts all connections, with what they hold. */
  cut: () => void
  close: () => void
}

/** Listens on a free port and hands everything on to the port of a server, which may be away for a while. */
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
