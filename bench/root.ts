/** The root of the repository, relative to the compiled file in `bench/dist/bench/`. */
export const root = new URL('../../../', import.meta.url)
