/** Requirements that no client can observe at a creation URL, with the test or the reason that replaces the check. */
export const notOnTheWire: Record<string, string> = {
  'RUFH-20': 'a creation URL always resumes; routes of the app are not resumable yet',
  'RUFH-33': 'a creation never redirects: RUFH-23 accepts 201 only',
  'RUFH-34': 'hook: onUploadCreate gets the metadata of the header fields',
  'RUFH-38': 'no limits of single appends are offered',
  'RUFH-45': 'an upload never redirects: RUFH-40 accepts 204 and 200 only',
  'RUFH-48': 'store: truncate the file of an upload',
  'RUFH-56': 'hook: onUploadFinish refuses',
  'RUFH-64': 'no limits of single appends are offered',
  'RUFH-79': 'hook: onUploadCreate, and allowedTypes',
  'RUFH-80': 'hook: authorize runs for each append',
  'RUFH-81': 'option: perClient, minRate and idleTimeout',
  'RUFH-82': 'hook: onUploadFinish runs once'
}
