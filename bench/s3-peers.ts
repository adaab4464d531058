/** The servers that are compared on S3. They start with the ports of S3 and of Redis as options. */
import { MIB } from './bytes.ts'
import { layouts } from './layouts.ts'
import { nodePeer, ours, OURS_S3, type Peer } from './peers.ts'
import { root } from './root.ts'
import { KEY, REGION, SECRET } from '../src/demo/engines/recipes.ts'
import { packageVersion } from '../test/peers/versions.ts'

/** All servers share it: each upload has a random id. */
export const BUCKET = 'uploads'

/** How many bytes a server stores with one request. Our default; that of tusd is 50 MiB. */
export const PART_SIZE = 8 * MIB

// Peers write temporary files, and the directory of a server is deleted after the run.
const env = { TMPDIR: '.', AWS_REGION: REGION, AWS_ACCESS_KEY_ID: KEY, AWS_SECRET_ACCESS_KEY: SECRET }

function s3Peer (name: string, version: string, script: string, fixed: Record<string, unknown> = {}): Peer {
  return { ...nodePeer(name, version, script, layouts.none, { bucket: BUCKET, partSize: PART_SIZE, ...fixed }), env }
}

const oursS3 = s3Peer(OURS_S3, ours.version, 'ours-s3')
export const oursS3Redis = s3Peer('ours on S3, locks in Redis', ours.version, 'ours-s3', { locks: true })
const s3StoreVersion = `${await packageVersion(root, '@tus/s3-store')}, @tus/server ${await packageVersion(root, '@tus/server')}`
const tusS3 = s3Peer('@tus/s3-store', s3StoreVersion, 'tus-s3')

function tusdS3 (version: string): Peer {
  return {
    name: 'tusd on S3',
    version,
    path: '/files/',
    layout: layouts.none,
    isNode: false,
    env,
    command: (_directory, port, { s3 } = {}) => [
      'tusd', '-host', '127.0.0.1', '-port', String(port),
      '-s3-bucket', BUCKET, '-s3-endpoint', `http://127.0.0.1:${s3}`, '-s3-part-size', String(PART_SIZE),
      '-verbose=false', '-show-greeting=false', '-show-startup-logs=false'
    ]
  }
}

/** The servers on S3 of those that are installed. */
export function s3PeersOf (peers: Peer[]): Peer[] {
  const tusd = peers.find(({ name }) => name === 'tusd')
  return [oursS3, oursS3Redis, tusS3, ...tusd === undefined ? [] : [tusdS3(tusd.version)]]
}
