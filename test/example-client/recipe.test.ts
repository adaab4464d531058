import t from 'tap'
import { RecipeError, applyRecipe } from '../../example-client/src/edit/recipe.ts'

const letters = new Blob(['abcdefghij'], { type: 'text/plain' })

t.test('a cut keeps the bytes from the start up to the end', async t => {
  const cut = await applyRecipe(letters, [{ op: 'cut', start: 2, end: 5 }])
  t.equal(await cut.text(), 'cde')
  t.equal(cut.type, 'text/plain')
})

t.test('appended files follow in their order', async t => {
  const others = [new Blob(['123']), new Blob(['4'])]
  const files = [{ name: 'b', size: 3 }, { name: 'c', size: 1 }]
  t.equal(await (await applyRecipe(letters, [{ op: 'join', files }], others)).text(), 'abcdefghij1234')
})

t.test('edits apply in their order', async t => {
  const recipe = [{ op: 'cut', start: 0, end: 3 }, { op: 'join', files: [{ name: 'b', size: 1 }] }] as const
  const joined = await applyRecipe(letters, recipe as never, [new Blob(['!'])])
  t.equal(await joined.text(), 'abc!')
})

t.test('an index at the end of a video moves to its front', async t => {
  const box = (type: string, content = '') => String.fromCharCode(0, 0, 0, 8 + content.length) + type + content
  const video = new Blob([box('ftyp', 'isom'), box('mdat', 'media'), box('moov')])
  const moved = await applyRecipe(video, [{ op: 'faststart' }])
  t.equal(await moved.text(), box('ftyp', 'isom') + box('moov') + box('mdat', 'media'))
})

t.test('an edit that does not fit is refused', async t => {
  for (const [start, end] of [[-1, 3], [3, 3], [5, 2], [0, 11]] as const) {
    await t.rejects(applyRecipe(letters, [{ op: 'cut', start, end }]), RecipeError, `${start} to ${end}`)
  }
  const join = { op: 'join', files: [{ name: 'b', size: 2 }] } as const
  await t.rejects(applyRecipe(letters, [join as never], [new Blob(['1'])]), RecipeError)
  await t.rejects(applyRecipe(letters, [{ op: 'faststart' }]), RecipeError)
})
