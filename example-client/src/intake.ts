/** A file that the visitor chose, with its handle if the browser supports handles. */
export interface Picked {
  file: File
  handle: FileSystemFileHandle | null
}

/** A chosen file, or the name of a file or folder that cannot be read, for example because it was deleted. */
export type Found = Picked | string

// How many files of a folder are passed on at a time.
const batchSize = 100

/** Lets the visitor choose files. Without support for handles, the `input` opens, and its event delivers the files. */
export async function chooseFiles (input: HTMLInputElement): Promise<Found[]> {
  if (!window.showOpenFilePicker) {
    input.click()
    return []
  }
  try {
    return await Promise.all((await window.showOpenFilePicker({ multiple: true })).map(fromHandle))
  } catch (error) {
    // AbortError: the visitor closed the dialog. Other errors: not allowed here, for example in a frame.
    if ((error as Error).name !== 'AbortError') input.click()
    return []
  }
}

/** The files of an input or of a paste event. */
export function fromList (list: FileList | null | undefined): Picked[] {
  return Array.from(list ?? [], file => ({ file, handle: null }))
}

/**
 * The dropped files, and those in dropped folders as they are found. Must be called during the event, because the
 * items are gone afterwards.
 */
export function fromDrop (transfer: DataTransfer): AsyncIterable<Found[]> {
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

async function * list (dropped: Dropped[]): AsyncGenerator<Found[]> {
  const files: Found[] = []
  const folders: AsyncIterable<Found[]>[] = []
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

// Not by `instanceof`: on pages from http: on another machine, the classes do not exist.
function isFolder (handle: FileSystemHandle): handle is FileSystemDirectoryHandle {
  return handle.kind === 'directory'
}

function isFile (handle: FileSystemHandle): handle is FileSystemFileHandle {
  return handle.kind === 'file'
}

function fromHandle (handle: FileSystemFileHandle): Promise<Found> {
  return handle.getFile().then(file => ({ file, handle }), () => handle.name)
}

async function * fromFolder (folder: FileSystemDirectoryHandle): AsyncGenerator<Found[]> {
  let files: Found[] = []
  try {
    for await (const within of folder.values()) {
      if (isFolder(within)) yield * fromFolder(within)
      else if (isFile(within)) files.push(await fromHandle(within))
      if (files.length < batchSize) continue
      yield files
      files = []
    }
  } catch {
    files.push(folder.name)
  }
  yield files
}

async function * fromEntry (folder: FileSystemDirectoryEntry): AsyncGenerator<Found[]> {
  const reader = folder.createReader()
  // A reader returns up to a hundred entries at a time, and none at the end.
  for (;;) {
    const entries = await new Promise<FileSystemEntry[] | null>(resolve => {
      reader.readEntries(resolve, () => resolve(null))
    })
    if (!entries) yield [folder.name]
    if (!entries?.length) return
    const files = entries.filter(entry => entry.isFile) as FileSystemFileEntry[]
    yield Promise.all(files.map(fromFileEntry))
    for (const entry of entries) if (entry.isDirectory) yield * fromEntry(entry as FileSystemDirectoryEntry)
  }
}

function fromFileEntry (entry: FileSystemFileEntry): Promise<Found> {
  return new Promise(resolve => entry.file(file => resolve({ file, handle: null }), () => resolve(entry.name)))
}
