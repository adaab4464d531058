import { copyOf, inside, write, writeTexts } from './dom.ts'
import type { Edit } from './edit/recipe.ts'
import { language, text } from './i18n.ts'
import type { FileUpload } from './upload.ts'

/** The edits of a file before its upload. */
export interface Change {
  name: string
  recipe: Edit[]
  /** The files that are appended. */
  others: File[]
}

/** The form that renames, cuts and joins a file before its upload. */
export class EditView {
  readonly node = copyOf('edit')
  /** Whether the form has input that is not applied yet. */
  touched = false
  #upload: FileUpload
  #name = inside<HTMLInputElement>(this.node, '[name="name"]')
  #from = inside<HTMLInputElement>(this.node, '[name="from"]')
  #to = inside<HTMLInputElement>(this.node, '[name="to"]')
  #join = inside<HTMLInputElement>(this.node, '[name="join"]')

  /** `onTouch` is called on input. `onChange` rejects if the change is not possible. */
  constructor (upload: FileUpload, onTouch: () => void, onChange: (change: Change) => Promise<void>) {
    this.#upload = upload
    this.#name.value = upload.name
    this.#from.max = this.#to.max = String(upload.size)
    this.#from.value = '0'
    this.#to.value = String(upload.size)
    this.node.addEventListener('input', () => {
      this.touched = true
      onTouch()
    })
    this.node.addEventListener('submit', event => {
      event.preventDefault()
      this.#apply(onChange)
    })
    inside(this.node, '[data-edit="undo"]').addEventListener('click', () => {
      onChange({ name: upload.record.file.name, recipe: [], others: [] }).catch(reportError)
    })
    // The browser's own button would have the language of the browser, which may differ from that of the page.
    this.#join.addEventListener('change', () => {
      write(inside(this.node, '.joined'), Array.from(this.#join.files ?? [], ({ name }) => name).join(', '))
    })
    for (const input of this.node.querySelectorAll('input')) {
      const label = inside(this.node, `label[data-for="${input.name}"]`)
      label.setAttribute('for', input.id = `edit-${input.name}-${upload.id}`)
    }
    this.render()
  }

  render (): void {
    writeTexts(this.node)
    const { recipe, file, name } = this.#upload.record
    inside(this.node, '[data-edit="undo"]').hidden = recipe.length === 0 && name === file.name
  }

  #apply (onChange: (change: Change) => Promise<void>): void {
    const { record, others, size } = this.#upload
    const from = Number(this.#from.value)
    const to = Number(this.#to.value)
    const joined = Array.from(this.#join.files ?? [])
    const recipe = [...record.recipe]
    const problem = inside(this.node, '.problem')
    if (!(from >= 0 && from < to && to <= size) && size > 0) {
      return write(problem, text('cutWrong', { size: `${size.toLocaleString(language())} B` }))
    }
    if (from > 0 || to < size) recipe.push({ op: 'cut', start: from, end: to })
    if (joined.length > 0) recipe.push({ op: 'join', files: joined.map(({ name, size }) => ({ name, size })) })
    onChange({ name: this.#name.value.trim() || record.name, recipe, others: [...others, ...joined] })
      .catch(() => write(problem, text('editFailed')))
  }
}
