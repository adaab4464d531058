import type { FastifyTusOptions } from '../plugin/index.ts'
import type { SuiteOptions } from './suite.ts'
import type { Protocol } from './transport.ts'

const DAY = 24 * 60 * 60 * 1000
const MIB = 1024 * 1024

/** A way to offer the plugin. */
export interface Wire {
  name: string
  protocol: Protocol
  tls: boolean
}

/** Our own server, set up so that some of the requirements come to bear. */
export interface Configuration {
  name: string
  options: FastifyTusOptions
  /** What the suite cannot learn from the server. */
  known: SuiteOptions
  /** What only these options let come to pass; everything, if not given. */
  ids?: string[]
}

export const wires: Wire[] = [
  { name: 'HTTP/1.1', protocol: 'http/1.1', tls: false },
  { name: 'HTTP/1.1 over TLS', protocol: 'http/1.1', tls: true },
  { name: 'HTTP/2', protocol: 'h2', tls: false },
  { name: 'HTTP/2 over TLS', protocol: 'h2', tls: true }
]

/** All of these together leave no requirement unanswered. */
export const configurations: Configuration[] = [
  {
    name: 'with every extension, and a maximum',
    options: { maxSize: 4 * MIB, expiration: { period: DAY } },
    known: {}
  },
  {
    name: 'where uploads expire soon',
    options: { expiration: { period: 1500, sweepInterval: 0 } },
    known: { expiresWithin: 1500 },
    ids: ['HEAD-06', 'EXP-05', 'EXP-06', 'EDGE-58', 'EDGE-70']
  },
  {
    name: 'where sweeps are frequent',
    options: { expiration: { period: 1500, sweepInterval: 100 } },
    known: { expiresWithin: 1500, sweepsEvery: 100 },
    ids: ['EXP-07', 'EXP-08']
  },
  {
    name: 'where bodies must not stall, nothing expires, and nothing is too large',
    options: { idleTimeout: 300 },
    known: { idleTimeout: 300 },
    ids: ['CORE-07', 'PATCH-07', 'EXP-01', 'EDGE-03', 'EDGE-74']
  },
  {
    name: 'where neither unfinished parts nor trailers are waited for',
    options: { extensions: { 'concatenation-unfinished': false, 'checksum-trailer': false } },
    known: {},
    ids: ['CORE-07', 'CKSUM-10', 'CONCAT-09', 'EDGE-77', 'EDGE-79']
  },
  {
    name: 'with no extension but creation',
    options: {
      extensions: {
        'creation-with-upload': false,
        'creation-defer-length': false,
        checksum: false,
        concatenation: false,
        termination: false
      }
    },
    known: {},
    ids: ['CORE-07', 'EXP-01', 'TERM-01']
  }
]
