import { inside, write, writeTexts } from './dom.ts'

const key = 'fastify-tus:origins'

// Not in the HTML, because each page would need a copy.
const content = `
  <form method="dialog">
    <h2 id="consent-title" data-text="consentTitle"></h2>
    <p data-text="consentLink"></p>
    <p class="origin"></p>
    <p id="consent-why" data-text="consentWhy"></p>
    <div class="buttons">
      <button data-text="consentRefuse"></button>
      <button class="quiet" value="agree" data-text="consentAgree"></button>
    </div>
  </form>`

/**
 * The endpoint that the address of the page names with `?endpoint=`. A link alone must not decide where
 * files go, so the visitor must agree to an endpoint of another origin, once per tab.
 * @returns `null` if there is none, if it is not a URL of http: or https:, or if the visitor refuses it
 */
export async function askedEndpoint (): Promise<string | null> {
  const endpoint = namedEndpoint()
  if (endpoint === null) return null
  if (!isForeign(endpoint) || await agree(new URL(endpoint).origin)) return endpoint
  // Removed from the address: links would pass the endpoint on, and a reload would ask again.
  const page = new URL(location.href)
  page.searchParams.delete('endpoint')
  history.replaceState(null, '', page)
  return null
}

/** Whether a URL has another origin than the page. */
export function isForeign (url: string): boolean {
  return new URL(url).origin !== location.origin
}

function namedEndpoint (): string | null {
  const named = new URLSearchParams(location.search).get('endpoint')
  if (!named || !URL.canParse(named, location.href)) return null
  const url = new URL(named, location.href)
  return /^https?:$/.test(url.protocol) ? url.href : null
}

async function agree (origin: string): Promise<boolean> {
  if (agreed().includes(origin)) return true
  const dialog = makeDialog()
  // Only the origin: a user name or a path could look like another origin.
  write(inside(dialog, '.origin'), origin)
  dialog.showModal()
  // Esc closes the dialog without a value.
  await new Promise(resolve => dialog.addEventListener('close', resolve, { once: true }))
  dialog.remove()
  const isAgreed = dialog.returnValue === 'agree'
  if (isAgreed) remember(origin)
  return isAgreed
}

function makeDialog (): HTMLDialogElement {
  const dialog = document.createElement('dialog')
  dialog.id = 'consent'
  dialog.setAttribute('aria-labelledby', 'consent-title')
  dialog.setAttribute('aria-describedby', 'consent-why')
  dialog.innerHTML = content
  writeTexts(dialog)
  document.body.append(dialog)
  return dialog
}

function agreed (): string[] {
  try {
    return JSON.parse(sessionStorage.getItem(key) ?? '[]') as string[]
  } catch {
    // The browser stores nothing for this page.
    return []
  }
}

function remember (origin: string): void {
  try {
    sessionStorage.setItem(key, JSON.stringify([...agreed(), origin]))
  } catch {
    // The next page asks again.
  }
}
