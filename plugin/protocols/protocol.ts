import type { FastifyReply, FastifyRequest, FastifySchema } from 'fastify'
import type { Upload } from '../types.ts'

/** The two kinds of URL of a registration: the prefix itself, and those of uploads below it. */
export type UrlKind = 'creation' | 'upload'

/** A schema with the properties that `@fastify/swagger` adds. */
export interface RouteSchema extends FastifySchema {
  summary: string
  tags: string[]
}

/** A supported method, and its description for `@fastify/swagger`. */
export interface Operation {
  method: string
  schema: RouteSchema
}

/** A wire protocol. Each has a folder of its own next to this file. */
export interface Protocol {
  /** The name in the records of the uploads that it creates; `undefined` if it leaves none. */
  readonly name?: string
  readonly operations: Readonly<Record<UrlKind, readonly Operation[]>>
  /** The media type of bodies that are appended. */
  readonly mediaType: string
  /** Whether a request belongs to this protocol, according to its headers. */
  claims (request: FastifyRequest): boolean
  /** The method of a request, in upper case; some clients cannot send every method. */
  methodOf (request: FastifyRequest): string
  /** Whether a GET may be the HEAD of a client of this protocol: caching proxies forward both as GET. */
  mayBeHead (request: FastifyRequest): boolean
  /**
   * Handles a request whose method is in `operations`. The dispatcher answers OPTIONS, GET of an upload and, if no
   * protocol claims the request, HEAD of a download. If the protocol has a `name`, it also handles GET of an upload
   * that cannot be downloaded.
   * @param id - of the URL, valid or not; empty on the creation URL
   */
  handle (request: FastifyRequest, reply: FastifyReply, id: string): Promise<FastifyReply>
  /** Prepares the reply for an error; returns the error to send. */
  refuse (request: FastifyRequest, reply: FastifyReply, error: unknown): Error
  /** Adds the headers of the protocol that describe this server to a response to OPTIONS. */
  describe (reply: FastifyReply): void
  /** Adds the state of an upload that it created to the response to a download of that upload. */
  describeUpload? (request: FastifyRequest, reply: FastifyReply, upload: Upload): void
  /** Adds the headers that every response of the protocol has, including responses of hooks of the app. */
  stamp (reply: FastifyReply): void
}
