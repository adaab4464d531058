// Features of Chromium that the library of TypeScript does not declare.

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
