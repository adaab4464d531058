/** A file that the visitor gave, and its handle where the browser has such. */
export interface Picked {
  file: File
  handle: FileSystemFileHandle | null
}

/** Lets the visitor choose files. Where the browser gives no handles, the `input` asks, and its event brings them. */
export async function chooseFiles (input: HTMLInputElement): Promise<Picked[]> {
  if (!window.showOpenFilePicker) {
    input.click()
    return []
  }
  try {
    return await fromHandles(await window.showOpenFilePicker({ multiple: true }))
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

/** The files that were dropped, those in folders too. Must be called in the event itself: later the items are gone. */
export async function fromDrop (transfer: DataTransfer): Promise<Picked[]> {
  const found = Array.from(transfer.items).filter(item => item.kind === 'file').map(item => {
    const file = item.getAsFile()
    const entry = item.webkitGetAsEntry()
    const handle = item.getAsFileSystemHandle?.().catch(() => null)
    return async (): Promise<Picked[]> => {
      const got = await handle
      if (got) return fromHandles([got])
      if (entry?.isDirectory) return fromEntry(entry)
      return file ? [{ file, handle: null }] : []
    }
  })
  return (await Promise.all(found.map(get => get()))).flat()
}

async function fromHandles (handles: Iterable<FileSystemHandle>): Promise<Picked[]> {
  const picked: Picked[] = []
  for (const handle of handles) {
    if (handle instanceof FileSystemDirectoryHandle) {
      for await (const within of handle.values()) picked.push(...await fromHandles([within]))
    } else if (handle instanceof FileSystemFileHandle) {
      picked.push({ file: await handle.getFile(), handle })
    }
  }
  return picked
}

async function fromEntry (entry: FileSystemEntry): Promise<Picked[]> {
  if (entry.isFile) {
    const file = await new Promise<File>((resolve, reject) => (entry as FileSystemFileEntry).file(resolve, reject))
    return [{ file, handle: null }]
  }
  const reader = (entry as FileSystemDirectoryEntry).createReader()
  const picked: Picked[] = []
  // A reader gives a hundred entries at a time, and none at the end.
  for (let more = true; more;) {
    const entries = await new Promise<FileSystemEntry[]>((resolve, reject) => reader.readEntries(resolve, reject))
    for (const inside of entries) picked.push(...await fromEntry(inside))
    more = entries.length > 0
  }
  return picked
}
