/** The facts that a browser knows about a video, a sound or a picture. */
export interface Media {
  kind: 'video' | 'audio' | 'image'
  /** In seconds; `Infinity` if the file does not contain it, as with many recordings. */
  duration: number
  width: number
  height: number
  /** A thumbnail, as a `data:` URL. */
  poster: string | null
}

const posterWidth = 320

/**
 * Inspects a media file without reading all of it. `null` if the browser can neither play nor show it. A video whose
 * picture the browser cannot decode is `audio`, because the browser reports no error.
 */
export async function readMedia (blob: Blob): Promise<Media | null> {
  const url = URL.createObjectURL(blob)
  try {
    return blob.type.startsWith('image/') ? await readImage(url) : await readVideo(url)
  } catch {
    return null
  } finally {
    URL.revokeObjectURL(url)
  }
}

async function readImage (url: string): Promise<Media> {
  const image = new Image()
  image.src = url
  await image.decode()
  const { naturalWidth: width, naturalHeight: height } = image
  return { kind: 'image', duration: 0, width, height, poster: draw(image, width, height) }
}

async function readVideo (url: string): Promise<Media> {
  const video = document.createElement('video')
  video.muted = true
  video.preload = 'auto'
  video.src = url
  try {
    await when(video, 'loadeddata')
    const { duration, videoWidth: width, videoHeight: height } = video
    if (width === 0) return { kind: 'audio', duration, width, height, poster: null }
    // The first frame is often black.
    video.currentTime = Math.min(1, Number.isFinite(duration) ? duration / 3 : 0)
    await when(video, 'seeked')
    return { kind: 'video', duration, width, height, poster: draw(video, width, height) }
  } finally {
    video.removeAttribute('src')
    video.load()
  }
}

function when (video: HTMLVideoElement, event: 'loadeddata' | 'seeked'): Promise<void> {
  return new Promise((resolve, reject) => {
    video.addEventListener(event, () => resolve(), { once: true })
    video.addEventListener('error', () => reject(video.error ?? new Error('no media')), { once: true })
    setTimeout(() => reject(new Error('no media in time')), 10_000)
  })
}

function draw (source: CanvasImageSource, width: number, height: number): string | null {
  const canvas = document.createElement('canvas')
  canvas.width = posterWidth
  canvas.height = Math.round(posterWidth * height / width)
  canvas.getContext('2d')?.drawImage(source, 0, 0, canvas.width, canvas.height)
  return canvas.toDataURL('image/jpeg', 0.7)
}
