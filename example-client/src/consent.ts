import { inside, write, writeTexts } from './dom.ts'

const key = 'fastify-tus:origins'

// Here and not in the HTML, of which each page would have a copy.
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
 * The URL that uploads are sent to, if the page's address names one: `?endpoint=`. A link alone must not decide where
 * files go, so the visitor is asked about an endpoint of another origin, once for each tab.
 * @returns `null` if there is none, if it is not a URL of http: or https:, or if the visitor refuses it
 */
export async function askedEndpoint (): Promise<string | null> {
  const endpoint = namedEndpoint()
  if (endpoint === null) return null
  if (!isForeign(endpoint) || await agree(new URL(endpoint).origin)) return endpoint
  // Links of this page would hand the endpoint on, and a reload would ask again.
  const page = new URL(location.href)
  page.searchParams.delete('endpoint')
  history.replaceState(null, '', page)
  return null
}

/** Whether a URL is of another origin than the page. */
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
  // The origin alone: a user name or a path in front of the reader's eyes could pretend to be another one.
  write(inside(dialog, '.origin'), origin)
  dialog.showModal()
  // Esc closes it without a value.
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
    // The browser keeps nothing for this page.
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
