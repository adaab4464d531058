/** A file that the visitor gave, and its handle where the browser has such. */
export interface Picked {
  file: File
  handle: FileSystemFileHandle | null
}

// How many files of a folder are taken at a time.
const batchSize = 100

/** Lets the visitor choose files. Where the browser gives no handles, the `input` asks, and its event brings them. */
export async function chooseFiles (input: HTMLInputElement): Promise<Picked[]> {
  if (!window.showOpenFilePicker) {
    input.click()
    return []
  }
  try {
    return await Promise.all((await window.showOpenFilePicker({ multiple: true })).map(fromHandle))
  } catch (error) {
    // AbortError: the visitor has thought better of it. Anything else: forbidden here, as in a frame.
    if ((error as Error).name !== 'AbortError') input.click()
    return []
  }
}

/** The files of an input, or of a paste. */
export function fromList (list: FileList | null | undefined): Picked[] {
  return Array.from(list ?? [], file => ({ file, handle: null }))
}

/**
 * The files that were dropped, and those in folders as they are found. Must be called in the event itself: later the
 * items are gone.
 */
export function fromDrop (transfer: DataTransfer): AsyncIterable<Picked[]> {
  return list(Array.from(transfer.items).filter(item => item.kind === 'file').map(item => ({
    file: item.getAsFile(),
    entry: item.webkitGetAsEntry(),
    handle: item.getAsFileSystemHandle?.().catch(() => null)
  })))
}

interface Dropped {
  file: File | null
  entry: FileSystemEntry | null
  handle: Promise<FileSystemHandle | null> | undefined
}

async function * list (dropped: Dropped[]): AsyncGenerator<Picked[]> {
  const files: Picked[] = []
  const folders: AsyncIterable<Picked[]>[] = []
  for (const { file, entry, handle: asked } of dropped) {
    const handle = await asked
    if (handle && isFolder(handle)) folders.push(fromFolder(handle))
    else if (handle && isFile(handle)) files.push(await fromHandle(handle))
    else if (entry?.isDirectory) folders.push(fromEntry(entry as FileSystemDirectoryEntry))
    else if (file) files.push({ file, handle: null })
  }
  yield files
  for (const folder of folders) yield * folder
}

// Not by their classes, which pages from http: of another machine do not have.
function isFolder (handle: FileSystemHandle): handle is FileSystemDirectoryHandle {
  return handle.kind === 'directory'
}

function isFile (handle: FileSystemHandle): handle is FileSystemFileHandle {
  return handle.kind === 'file'
}

async function fromHandle (handle: FileSystemFileHandle): Promise<Picked> {
  return { file: await handle.getFile(), handle }
}

async function * fromFolder (folder: FileSystemDirectoryHandle): AsyncGenerator<Picked[]> {
  let files: Picked[] = []
  for await (const within of folder.values()) {
    if (isFolder(within)) yield * fromFolder(within)
    else if (isFile(within)) files.push(await fromHandle(within))
    if (files.length < batchSize) continue
    yield files
    files = []
  }
  yield files
}

async function * fromEntry (folder: FileSystemDirectoryEntry): AsyncGenerator<Picked[]> {
  const reader = folder.createReader()
  // A reader gives a hundred entries at a time, and none at the end.
  for (;;) {
    const entries = await new Promise<FileSystemEntry[]>((resolve, reject) => reader.readEntries(resolve, reject))
    if (entries.length === 0) return
    const files = entries.filter(entry => entry.isFile) as FileSystemFileEntry[]
    yield Promise.all(files.map(async entry => ({
      file: await new Promise<File>((resolve, reject) => entry.file(resolve, reject)),
      handle: null
    })))
    for (const entry of entries) if (entry.isDirectory) yield * fromEntry(entry as FileSystemDirectoryEntry)
  }
}
