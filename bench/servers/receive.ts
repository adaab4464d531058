/** Loopback receive alone: a bare socket that counts the bytes of a body and discards them. */
import net from 'node:net'
import { options } from './serve.ts'

net.createServer((socket) => {
  let rest = 0
  let offset = ''
  socket.on('data', (data) => {
    if (rest === 0) {
      const head = data.toString('latin1', 0, data.indexOf('\r\n\r\n') + 4)
      if (head.startsWith('POST')) {
        socket.write('HTTP/1.1 201 Created\r\nLocation: /files/0\r\nContent-Length: 0\r\n\r\n')
        return
      }
      const length = Number(/\r\nContent-Length: (\d+)/.exec(head)?.[1])
      offset = String(Number(/\r\nUpload-Offset: (\d+)/.exec(head)?.[1]) + length)
      rest = length + head.length
    }
    rest -= data.length
    if (rest === 0) socket.write(`HTTP/1.1 204 No Content\r\nUpload-Offset: ${offset}\r\n\r\n`)
  })
}).listen(options.port, '127.0.0.1')
