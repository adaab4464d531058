import type { FastifyTusOptions } from '../plugin/index.ts'
import type { SuiteOptions } from './suite.ts'
import type { Protocol } from './transport.ts'

const DAY = 24 * 60 * 60 * 1000
const MIB = 1024 * 1024

/** A protocol to serve the plugin over. */
export interface Wire {
  name: string
  protocol: Protocol
  tls: boolean
}

/** A configuration of our own server that some of the requirements need. */
export interface Configuration {
  name: string
  options: FastifyTusOptions
  /** The properties that the suite cannot discover from the server. */
  known: SuiteOptions
  /** The requirements that need these options. Default: all requirements. */
  ids?: string[]
}

export const wires: Wire[] = [
  { name: 'HTTP/1.1', protocol: 'http/1.1', tls: false },
  { name: 'HTTP/1.1 over TLS', protocol: 'http/1.1', tls: true },
  { name: 'HTTP/2', protocol: 'h2', tls: false },
  { name: 'HTTP/2 over TLS', protocol: 'h2', tls: true }
]

/** Together these cover every requirement. */
export const configurations: Configuration[] = [
  {
    name: 'all extensions, with a maximum size',
    options: { maxSize: 4 * MIB, expiration: { period: DAY } },
    known: {}
  },
  {
    name: 'short expiration',
    options: { expiration: { period: 1500, sweepInterval: 0 } },
    known: { expiresWithin: 1500 },
    ids: ['HEAD-06', 'EXP-05', 'EXP-06', 'EDGE-58', 'EDGE-70']
  },
  {
    name: 'short expiration, frequent sweeps',
    options: { expiration: { period: 1500, sweepInterval: 100 } },
    known: { expiresWithin: 1500, sweepsEvery: 100 },
    ids: ['EXP-07', 'EXP-08']
  },
  {
    name: 'idle timeout, no expiration, no maximum size',
    options: { idleTimeout: 300 },
    known: { idleTimeout: 300 },
    ids: ['CORE-07', 'PATCH-07', 'EXP-01', 'EDGE-03', 'EDGE-74']
  },
  {
    name: 'without concatenation-unfinished and checksum-trailer',
    options: { extensions: { 'concatenation-unfinished': false, 'checksum-trailer': false } },
    known: {},
    ids: ['CORE-07', 'CKSUM-10', 'CONCAT-09', 'EDGE-77', 'EDGE-79']
  },
  {
    name: 'only the creation extension',
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

/** Together these cover every requirement of Resumable Uploads for HTTP. */
export const resumableUploadConfigurations: Configuration[] = [
  {
    name: 'with limits, and interim responses for each batch',
    options: { resumableUpload: true, maxSize: 4 * MIB, expiration: { period: DAY }, progressInterval: 0 },
    known: { protocol: 'resumable-upload' }
  },
  {
    name: 'without limits',
    options: { resumableUpload: true },
    known: { protocol: 'resumable-upload' },
    ids: ['RUFH-05', 'RUFH-07']
  }
]
