/** The clients that the tests install, by their names in the README. curl is that of the machine. */
export const versions = {
  'tus-js-client': '4.3.1',
  '@uppy/core': '6.3.1',
  '@uppy/tus': '6.0.0',
  tuspy: '1.1.0',
  'tus-java-client': '0.5.1',
  tusgo: '0.2.0'
}
