import { join } from 'node:path'
import { requirementsOver } from '../requirements.ts'
import { Tally } from '../tally.ts'
import { startPeer } from './peer-process.ts'
import type { Peer } from './peers.ts'

/** The results of the requirements, and how often the server crashed or would have crashed. */
export interface PeerRun {
  tally: Tally
  crashes: number
}

/** Runs a server in each of its configurations in turn and checks all requirements over HTTP/1.1. */
export async function askPeer (peer: Peer, directory: string): Promise<PeerRun> {
  const tally = new Tally()
  let crashes = 0
  for (const [i, configuration] of peer.configurations.entries()) {
    const start = () => startPeer(peer.path, configuration, join(directory, String(i)))
    let running = await start()
    for (const requirement of requirementsOver('http/1.1')) {
      if (!(configuration.ids?.includes(requirement.id) ?? true)) continue
      let result = await running.suite.run(requirement)
      // An earlier request may have caused the crash, so the requirement gets a second attempt.
      for (let tries = 1; running.hasEnded; tries++) {
        crashes += 1 + running.uncaught
        running = await start()
        if (tries < 2) result = await running.suite.run(requirement)
      }
      tally.add(requirement, result)
    }
    crashes += running.uncaught
    await running.end()
  }
  return { tally, crashes }
}
