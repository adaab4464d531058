/** W6: downloads of an upload, completely and in ranges. */
import { writeFile } from 'node:fs/promises'
import path from 'node:path'
import type { Bench, Work } from '../bench.ts'
import { bytesFor, KIB, MIB } from '../bytes.ts'
import { Connection, type Exchange, headerOf } from '../connection.ts'
import { fastifyStatic, limit, oursNone, type Peer } from '../peers.ts'
import type { Case, Figures } from '../figures.ts'
import { type ServerProcess, withServers } from '../server-process.ts'
import { create, expectStatus, PATH, send } from '../tus.ts'
import { keptInTurns, NotAble } from '../turns.ts'
import { appendMetrics, perGib } from './appends.ts'
import { rates, requestMetrics, sendAll } from './requests.ts'

const RANGE = 64 * KIB
/** The number of complete downloads per figure: CPU time is counted in hundredths of a second. */
const TIMES = 3

export const w6: Work = {
  id: 'W6',
  run: async (bench) => {
    const size = (bench.quick ? 64 : 256) * MIB
    return await withServers(readers(bench), async (servers) => {
      const files = new Map<ServerProcess, string>()
      for (const server of servers) files.set(server, await place(server, size))
      return [
        await whole(bench, servers, files, size),
        await bySize(bench, servers),
        await ranges(bench, servers, files, size)
      ]
    })
  }
}

type Files = Map<ServerProcess, string>

async function whole (bench: Bench, servers: ServerProcess[], files: Files, size: number): Promise<Case> {
  const subject = { title: `GET of ${size / MIB} MiB`, metrics: appendMetrics }
  return await keptInTurns(bench, subject, servers, async (server) => {
    const spent = []
    for (let time = 0; time < TIMES; time++) {
      const { request, check } = get(files.get(server) ?? '', 0, size, 200)
      const connection = await Connection.open(server.port)
      spent.push(await server.measure(async () => check(await connection.ask(request))))
      // Only once the server is idle: `@tus/server` crashes if a reader disconnects at once.
      connection.close()
    }
    return perGib(spent, { uploads: 1, size }, server.peak)
  })
}

/** How many downloads of smaller files are one figure, by their size: the same connection takes one after the other. */
const SMALLER = new Map([[64 * KIB, 1000], [MIB, 128], [16 * MIB, 16]])

/** The costs of a request weigh more for smaller files. */
async function bySize (bench: Bench, servers: ServerProcess[]): Promise<Case> {
  const metrics = [...SMALLER.keys()].map((size) => ({
    name: String(size), unit: `CPU s/GiB, ${size < MIB ? `${size / KIB} KiB` : `${size / MIB} MiB`}`, digits: 2, compared: true
  }))
  return await keptInTurns(bench, { title: 'GET by the size of the file', metrics }, servers, async (server) => {
    const figures: Figures = {}
    for (const [size, times] of SMALLER) {
      const file = await place(server, size)
      const connection = await Connection.open(server.port)
      let rest = bench.quick ? times / 8 : times
      const count = rest
      const spent = await server.measure(async () =>
        await connection.series(() => rest-- > 0 ? get(file, 0, size, 200) : undefined))
      connection.close()
      const { cpu = NaN } = perGib([spent], { uploads: count, size }, 0)
      figures[String(size)] = cpu
    }
    return figures
  })
}

async function ranges (bench: Bench, servers: ServerProcess[], files: Files, size: number): Promise<Case> {
  const count = bench.quick ? 200 : 5000
  const title = `${count} GETs of ${RANGE / KIB} KiB at random offsets of ${size / MIB} MiB, over 16 connections`
  return await keptInTurns(bench, { title, metrics: requestMetrics }, servers, async (server) => {
    await expectRanges(server)
    const file = files.get(server) ?? ''
    const spent = await sendAll(server, count, (number) => range(file, offsetOf(number, size), RANGE, size))
    return rates(spent, count, server.peak)
  })
}

/** Durability makes no difference to readers, and without a protocol `@fastify/static` is the limit. */
function readers ({ peers }: Bench): Peer[] {
  return [fastifyStatic, ...peers.filter((peer) => peer !== limit && peer !== oursNone)]
}

/** Creates a file that the server serves, and returns its path. */
async function place (server: ServerProcess, size: number): Promise<string> {
  const bytes = bytesFor(0, size)
  if (server.peer === fastifyStatic) {
    await writeFile(path.join(server.directory, String(size)), bytes)
    return `${PATH}/${size}`
  }
  const connection = await Connection.open(server.port)
  const created = await create(connection, server.peer.path, size)
  await send(connection, created, bytes, size)
  connection.close()
  return created
}

/** @throws NotAble if the server returns more than the range */
async function expectRanges (server: ServerProcess): Promise<void> {
  const connection = await Connection.open(server.port)
  const { status } = await connection.ask(range(await place(server, KIB), 0, 1, KIB).request)
  if (status === 200) throw new NotAble('it returns the complete file for a range')
}

function range (file: string, from: number, length: number, size: number): Exchange {
  const bounds = `${from}-${from + length - 1}`
  const { request, check } = get(file, from, length, 206, `Range: bytes=${bounds}\r\n`)
  return {
    request,
    check: (answer) => {
      check(answer)
      const told = headerOf(answer.head, 'content-range')
      if (told !== `bytes ${bounds}/${size}`) throw new Error(`bytes ${bounds} returned Content-Range: ${told}`)
    }
  }
}

/** A GET whose response must have these bytes of the file. */
function get (file: string, from: number, length: number, status: number, header = ''): Exchange {
  const bytes = bytesFor(0, from + length).subarray(from)
  let received = 0
  let isRight = true
  return {
    request: {
      head: `GET ${file} HTTP/1.1\r\nHost: localhost\r\n${header}\r\n`,
      onBody: (piece, position) => {
        received += piece.length
        isRight &&= piece.equals(bytes.subarray(position, position + piece.length))
      }
    },
    check: (answer) => {
      expectStatus(answer, status, 'GET')
      if (!isRight || received !== length) throw new Error(`GET returned ${received} bytes, not the sent ones`)
    }
  }
}

/** Multiples of the golden ratio spread over the file without a pattern, identically for all servers. */
function offsetOf (number: number, size: number): number {
  return Math.floor(number * 0.6180339887 % 1 * (size - RANGE))
}
