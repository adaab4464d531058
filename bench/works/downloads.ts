/** W6: an upload is read, as a whole and in ranges. */
import { writeFile } from 'node:fs/promises'
import path from 'node:path'
import type { Bench, Work } from '../bench.ts'
import { bytesFor, KIB, MIB } from '../bytes.ts'
import { Connection, type Exchange, headerOf } from '../connection.ts'
import { fastifyStatic, limit, ours, oursNone, type Peer } from '../peers.ts'
import type { Case, Figures } from '../results.ts'
import type { ServerProcess } from '../server-process.ts'
import { create, expectStatus, PATH, send } from '../tus.ts'
import { type Contender, fresh, inTurns, NotAble } from '../turns.ts'
import { appendMetrics, perGib } from './appends.ts'
import { rates, requestMetrics, sendAll } from './requests.ts'

const RANGE = 64 * KIB

export const w6: Work = {
  id: 'W6',
  title: 'GET of 256 MiB, and of 64 KiB ranges',
  run: async (bench) => {
    const size = (bench.quick ? 64 : 256) * MIB
    return [await whole(bench, size, bench.quick ? 2 : 3), await ranges(bench, size, bench.quick ? 2000 : 10_000)]
  }
}

async function whole (bench: Bench, size: number, times: number): Promise<Case> {
  const title = `GET of ${size / MIB} MiB`
  return await inTurns(bench, title, appendMetrics, readers(bench, async (server) => {
    const file = await place(server, size)
    // It stays open until the server is ended: `@tus/server` ends by an exception where a reader is gone at once.
    const connection = await Connection.open(server.port)
    await read(connection, file, size)
    const spent = []
    for (let time = 0; time < times; time++) {
      spent.push(await server.measure(async () => await read(connection, file, size)))
    }
    return perGib(spent, { uploads: 1, size }, server.peak)
  }))
}

async function ranges (bench: Bench, size: number, count: number): Promise<Case> {
  const title = `${count} GETs of ${RANGE / KIB} KiB at random offsets of ${size / MIB} MiB, over 16 connections`
  return await inTurns(bench, title, requestMetrics, readers(bench, async (server) => {
    await expectRanges(server)
    const file = await place(server, size)
    const exchange = (number: number): Exchange => range(file, offsetOf(number, size), RANGE, size)
    await sendAll(server, count / 5, exchange)
    return rates(await sendAll(server, count, exchange), count, server.peak)
  }))
}

/** Durability makes no difference to readers, and without a protocol `@fastify/static` is the limit. */
function readers ({ peers }: Bench, measure: (server: ServerProcess) => Promise<Figures>): Contender[] {
  const others = peers.filter((peer) => peer !== limit && peer !== oursNone && peer !== ours)
  return [fastifyStatic, ours, ...others].map((peer: Peer) => fresh(peer, measure))
}

/** Makes a file that the server serves, and returns its path. */
async function place (server: ServerProcess, size: number): Promise<string> {
  const bytes = bytesFor(0, size)
  if (server.peer === fastifyStatic) {
    await writeFile(path.join(server.directory, 'file'), bytes)
    return `${PATH}/file`
  }
  const connection = await Connection.open(server.port)
  const created = await create(connection, server.peer.path, size)
  await send(connection, created, bytes, size)
  connection.close()
  return created
}

async function read (connection: Connection, file: string, size: number): Promise<void> {
  const { request, check } = get(file, 0, size, 200)
  check(await connection.ask(request))
}

/** @throws NotAble where the server answers with more than the range */
async function expectRanges (server: ServerProcess): Promise<void> {
  const connection = await Connection.open(server.port)
  const { status } = await connection.ask(range(await place(server, KIB), 0, 1, KIB).request)
  if (status === 200) throw new NotAble('it answers a range with the whole file')
}

function range (file: string, from: number, length: number, size: number): Exchange {
  const bounds = `${from}-${from + length - 1}`
  const { request, check } = get(file, from, length, 206, `Range: bytes=${bounds}\r\n`)
  return {
    request,
    check: (answer) => {
      check(answer)
      const told = headerOf(answer.head, 'content-range')
      if (told !== `bytes ${bounds}/${size}`) throw new Error(`bytes ${bounds} were answered with Content-Range: ${told}`)
    }
  }
}

/** A GET whose answer must have these bytes of the file. */
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
      if (!isRight || received !== length) throw new Error(`GET brought ${received} bytes, and not those that were sent`)
    }
  }
}

/** Multiples of the golden ratio go all over the file without a pattern, and alike for all servers. */
function offsetOf (number: number, size: number): number {
  return Math.floor(number * 0.6180339887 % 1 * (size - RANGE))
}
