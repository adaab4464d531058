/** The file layouts of the stores, to check files and to fill large stores without the server. */
import path from 'node:path'

export interface RecordFile { file: string, text: string }

export interface Layout {
  name: string
  /** The file with the bytes of an upload; `undefined` if nothing is stored. */
  fileOf?: (directory: string, id: string) => string
  /** The record file of an upload and its content; `undefined` if there is none. */
  record?: (directory: string, id: string, length: number, offset: number, created: Date) => RecordFile
}

const fileOf = path.join

export const layouts = {
  none: { name: 'none' },

  /** `limit`: no record. */
  bare: { name: 'bare', fileOf },

  /** `@tus/file-store`, and ours. */
  json: {
    name: 'json',
    fileOf,
    record: (directory, id, size, _offset, created) => ({
      file: path.join(directory, `${id}.json`),
      text: JSON.stringify({ id, size, offset: 0, creation_date: created.toISOString() })
    })
  },

  tusd: {
    name: 'tusd',
    fileOf,
    record: (directory, id, size, offset) => {
      const file = path.join(directory, `${id}.info`)
      const storage = { Type: 'filestore', Path: path.join(directory, id), InfoPath: file }
      const text = JSON.stringify({
        ID: id,
        Size: size,
        SizeIsDeferred: false,
        Offset: offset,
        MetaData: {},
        IsPartial: false,
        IsFinal: false,
        PartialUploads: null,
        Storage: storage
      })
      return { file, text }
    }
  },

  rustus: {
    name: 'rustus',
    fileOf,
    record: (directory, id, length, offset, created) => ({
      file: path.join(directory, `${id}.info`),
      text: JSON.stringify({
        id,
        offset,
        length,
        path: path.join(directory, id),
        created_at: Math.floor(created.getTime() / 1000),
        deferred_size: false,
        is_partial: false,
        is_final: false,
        parts: null,
        storage: 'file_storage',
        metadata: {}
      })
    })
  }
} satisfies Record<string, Layout>
