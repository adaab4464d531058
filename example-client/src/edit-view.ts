import { copyOf, inside, write, writeTexts } from './dom.ts'
import type { Edit } from './edit/recipe.ts'
import { language, text } from './i18n.ts'
import type { FileUpload } from './upload.ts'

/** How a file is to be changed before it is sent. */
export interface Change {
  name: string
  recipe: Edit[]
  /** The files that are joined behind it. */
  others: File[]
}

/** Lets the visitor rename, cut and join a file that has not been sent yet. */
export class EditView {
  readonly node = copyOf('edit')
  /** Whether something was typed or chosen that is not applied yet. */
  touched = false
  #upload: FileUpload
  #name = inside<HTMLInputElement>(this.node, '[name="name"]')
  #from = inside<HTMLInputElement>(this.node, '[name="from"]')
  #to = inside<HTMLInputElement>(this.node, '[name="to"]')
  #join = inside<HTMLInputElement>(this.node, '[name="join"]')

  /** `onTouch`: something was typed. `onChange` rejects when the change cannot be made. */
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
    // A browser would label its own button in its own language, which may not be that of the page.
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
