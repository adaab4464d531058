import { writeFileSync } from 'node:fs'
import path from 'node:path'
import { folderIn, KEY, SECRET, versitygwRecipe } from '../../src/demo/engines/recipes.ts'
import type { Recipe } from '../../src/demo/engines/recipes.ts'

export type S3EngineName = 'versitygw' | 'seaweedfs' | 'minio'

/** How each S3 server is started, in a directory of its own. */
export const s3Recipes: Record<S3EngineName, Recipe> = {
  versitygw: versitygwRecipe,
  seaweedfs: {
    args: (port, directory) => [
      'mini', `-dir=${folderIn(directory, 'data')}`, '-ip=127.0.0.1', '-ip.bind=127.0.0.1', `-s3.port=${port}`,
      `-s3.config=${identitiesIn(directory)}`
    ]
  },
  minio: {
    args: (port, directory) => [
      'server', '--address', `127.0.0.1:${port}`, '--console-address', '127.0.0.1:0', folderIn(directory, 'data')
    ],
    env: { MINIO_ROOT_USER: KEY, MINIO_ROOT_PASSWORD: SECRET }
  }
}

function identitiesIn (directory: string): string {
  const file = path.join(directory, 'identities.json')
  const credentials = [{ accessKey: KEY, secretKey: SECRET }]
  writeFileSync(file, JSON.stringify({ identities: [{ name: 'test', credentials, actions: ['Admin'] }] }))
  return file
}
