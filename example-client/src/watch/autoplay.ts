/**
 * Plays a video with sound if the browser allows that, or muted. If it allows neither before a click, the video waits
 * for its play button. `button` turns the sound on, and is hidden while it is.
 */
export async function autoplay (video: HTMLVideoElement, button: HTMLElement): Promise<void> {
  button.onclick = () => { video.muted = false }
  video.onvolumechange = () => {
    if (!video.muted) button.hidden = true
  }
  if (!await isRefused(video)) return
  video.muted = true
  button.hidden = false
  if (await isRefused(video)) video.muted = false
}

// Other errors, such as a source that cannot be played, are also events of the video.
function isRefused (video: HTMLVideoElement): Promise<boolean> {
  return video.play().then(() => false, (error: Error) => error.name === 'NotAllowedError')
}
