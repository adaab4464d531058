import { execFile } from 'node:child_process'
import { promisify } from 'node:util'

/** Creates a clip of a test picture with sound, in H.264 and AAC. It is large enough for events during its upload. */
export async function makeClip (path: string, seconds: number, { faststart = true } = {}): Promise<void> {
  await promisify(execFile)('ffmpeg', [
    '-loglevel', 'error', '-y',
    '-f', 'lavfi', '-i', `testsrc2=size=640x360:rate=25:duration=${seconds}`,
    '-f', 'lavfi', '-i', `sine=frequency=440:duration=${seconds}`,
    '-c:v', 'libx264', '-preset', 'ultrafast', '-pix_fmt', 'yuv420p', '-b:v', '2M', '-minrate', '2M', '-bufsize', '1M',
    '-c:a', 'aac', '-shortest', ...faststart ? ['-movflags', '+faststart'] : [], path
  ])
}
