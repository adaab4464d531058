/** The root of the repository, from where `tsc` puts this file: `bench/dist/bench/`. */
export const root = new URL('../../../', import.meta.url)
