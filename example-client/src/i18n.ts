const en = {
  title: 'Resumable upload',
  intro: 'Send a large file in slices. Lose the network, pause, or reload the page: it goes on where it was.',
  choose: 'Choose a video',
  chooseHint: 'or any other file, or drop one here',
  sliceSize: 'Slice size',
  accepted: 'On the server',
  speed: 'Speed',
  timeLeft: 'Time left',
  pause: 'Pause',
  resume: 'Resume',
  cancel: 'Cancel and delete',
  amount: '{sent} of {size}',
  unknown: '–',
  interrupted: 'The upload of “{name}” was interrupted. Choose the same file again to go on with it.',
  endpoint: 'Uploads go to {endpoint}',
  preparing: 'Reading the file …',
  uploading: 'Uploading',
  continuing: 'Continuing at {percent}',
  waiting: 'The connection is lost. Trying again …',
  offline: 'You are offline. The upload goes on when the network is back.',
  paused: 'Paused at {percent}',
  cancelled: 'Cancelled. What had been uploaded is deleted.',
  done: 'Finished: the whole file is on the server.',
  failed: 'Stopped at {percent}',
  failureNetwork: 'The server cannot be reached. Resume to try again: nothing that it has is lost.',
  failureFile: 'The file cannot be read any more. It was changed, moved or deleted: choose it again.',
  failureTooLarge: 'The file is larger than the server accepts.',
  failureRefused: 'The server refused the upload (status {status}).',
  result: 'The file on the server'
}

/** The texts of the page. */
export type Texts = Record<keyof typeof en, string>

const zh: Texts = {
  title: '断点续传',
  intro: '把大文件切成小片上传。断网、暂停或刷新页面之后，都可以从原来的位置继续。',
  choose: '选择视频',
  chooseHint: '也可以选择其他文件，或拖放到这里',
  sliceSize: '分片大小',
  accepted: '服务器已收到',
  speed: '速度',
  timeLeft: '剩余时间',
  pause: '暂停',
  resume: '继续',
  cancel: '取消并删除',
  amount: '{sent} / {size}',
  unknown: '–',
  interrupted: '“{name}”的上传中断了。请重新选择同一个文件，继续上传。',
  endpoint: '上传地址：{endpoint}',
  preparing: '正在读取文件……',
  uploading: '正在上传',
  continuing: '从 {percent} 处继续上传',
  waiting: '连接中断，正在重试……',
  offline: '当前没有网络，恢复后会自动继续上传。',
  paused: '已暂停在 {percent}',
  cancelled: '已取消，已上传的内容已删除。',
  done: '上传完成，整个文件已保存在服务器上。',
  failed: '已停止在 {percent}',
  failureNetwork: '无法连接服务器。点击“继续”可以重试，已上传的内容不会丢失。',
  failureFile: '无法再读取这个文件：它可能已被修改、移动或删除。请重新选择。',
  failureTooLarge: '文件超过了服务器允许的大小。',
  failureRefused: '服务器拒绝了上传（状态码 {status}）。',
  result: '服务器上的文件'
}

/** The texts of every language that the page speaks. */
export const languages: Record<'en' | 'zh', Texts> = { en, zh }

/** The language of the page for the languages of the browser, best first. */
export function chooseLanguage (preferred: readonly string[]): keyof typeof languages {
  for (const tag of preferred) {
    const language = tag.toLowerCase().split('-')[0]
    if (language === 'en' || language === 'zh') return language
  }
  return 'en'
}

/** Puts values where a text has `{names}`. */
export function fill (text: string, values: Record<string, string | number>): string {
  return text.replace(/\{(\w+)\}/g, (hole, name: string) => String(values[name] ?? hole))
}
