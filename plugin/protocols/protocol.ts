import type { FastifyReply, FastifyRequest, FastifySchema } from 'fastify'

/** The two kinds of URL of a registration: the prefix itself, and those of uploads below it. */
export type UrlKind = 'creation' | 'upload'

/** A schema with what `@fastify/swagger` adds to it. */
export interface RouteSchema extends FastifySchema {
  summary: string
  tags: string[]
}

/** A method that is served, and its description for `@fastify/swagger`. */
export interface Operation {
  method: string
  schema: RouteSchema
}

/** A wire protocol. Each has a folder of its own next to this file. */
export interface Protocol {
  readonly operations: Readonly<Record<UrlKind, readonly Operation[]>>
  /** The media type of bodies that are appended. */
  readonly mediaType: string
  /** Whether the headers of a request say that it belongs to this protocol. */
  claims (request: FastifyRequest): boolean
  /** The method of a request, in upper case; some clients cannot send every method. */
  methodOf (request: FastifyRequest): string
  /**
   * Answers a request with one of the methods in `operations`.
   * @param id - of the URL, valid or not; empty on the creation URL
   */
  handle (request: FastifyRequest, reply: FastifyReply, id: string): Promise<FastifyReply>
  /** Prepares the reply for an error; returns the error to send. */
  refuse (request: FastifyRequest, reply: FastifyReply, error: unknown): Error
  /** Adds what the protocol says about this server, in a response to OPTIONS. */
  describe (reply: FastifyReply): void
  /** Adds what every response of the protocol says, also one from a hook of the app. */
  stamp (reply: FastifyReply): void
}
