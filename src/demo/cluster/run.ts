import { basename } from 'node:path'
import { startChild } from '../child.ts'
import { compare, reportSource } from '../compare.ts'
import { DemoError } from '../errors.ts'
import type { Output } from '../progress.ts'
import type { Source } from '../source.ts'
import { Steps } from '../steps.ts'
import { startRoundRobin } from './round-robin.ts'
import { ClusterServer } from './servers.ts'
import { startBucket, startLocks } from './storage.ts'
import { ClusterUpload } from './upload.ts'

/** Each of the 16 slices must have a middle. */
const MINIMUM_SIZE = 32

/**
 * Sends a file to three servers behind a load balancer, kills each of them in the middle of a slice, and compares.
 * @throws DemoError if any step has an unexpected result
 */
export async function runCluster (
  source: Source, workplace: string, output: Output, startServer = startChild
): Promise<void> {
  if (source.size < MINIMUM_SIZE) {
    throw new DemoError(`${source.name} is too small (${source.size} bytes): the cluster needs ${MINIMUM_SIZE}`)
  }
  const steps = new Steps(output)
  const bucket = await startBucket(workplace)
  const locks = await startLocks(workplace)
  const hash = await reportSource(source, steps)
  steps.say('Started what the servers share')
  steps.note(bucket.description)
  steps.note(locks.description)

  const start = () => startServer({ PORT: '0', ...bucket.settings, ...locks.settings })
  const servers = ['A', 'B', 'C'].map(name => new ClusterServer(name, start))
  const descriptions = await Promise.all(servers.map(server => server.start()))
  steps.say('Started three servers')
  for (const description of descriptions) steps.note(description)

  const upload = new ClusterUpload(source, servers, steps, output)
  const balancer = await startRoundRobin(servers, upload)
  try {
    steps.say(`Started a load balancer in front of them, ${balancer.origin}`)
    const url = await upload.send(`${balancer.origin}/files`)
    const id = basename(url)
    await compare(hash, await bucket.read(id), url, steps)
    steps.note(`stored as the object ${bucket.keyOf(id)}`)
  } finally {
    balancer.close()
  }
  output.write('\nOK: the file is identical, although each server was killed during the upload.\n')
}
