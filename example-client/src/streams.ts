/** Reads a source to its end at full speed and yields batches on demand. */
export async function * readAhead<T> (
  source: Iterable<T> | AsyncIterable<T>, onRead: (item: T) => void
): AsyncGenerator<T> {
  const ready: T[] = []
  const state = { isOver: false }
  let wake = () => {}
  const readAll = async () => {
    for await (const item of source) {
      onRead(item)
      ready.push(item)
      wake()
    }
  }
  const reading = readAll().finally(() => {
    state.isOver = true
    wake()
  })
  // Its error is rethrown below.
  reading.catch(() => {})
  while (ready.length > 0 || !state.isOver) {
    if (ready.length > 0) yield ready.shift() as T
    else await new Promise<void>(resolve => { wake = resolve })
  }
  await reading
}

/** Processes several items in parallel and yields each with its result, in order. */
export async function * inOrder<T, Result> (
  items: readonly T[], limit: number, work: (item: T) => Promise<Result>
): AsyncGenerator<[T, Result]> {
  const going: [T, Promise<Result>][] = []
  for (const item of items) {
    const result = work(item)
    // Rethrown in order.
    result.catch(() => {})
    going.push([item, result])
    if (going.length < limit) continue
    const [first, done] = going.shift() as [T, Promise<Result>]
    yield [first, await done]
  }
  for (const [item, result] of going) yield [item, await result]
}
