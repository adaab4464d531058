// What Chromium has and TypeScript's library does not know.

interface Window {
  showOpenFilePicker?: (options: { multiple: boolean }) => Promise<FileSystemFileHandle[]>
}

interface DataTransferItem {
  getAsFileSystemHandle?: () => Promise<FileSystemHandle | null>
}

interface FileSystemHandle {
  queryPermission: () => Promise<PermissionState>
  requestPermission: () => Promise<PermissionState>
}
