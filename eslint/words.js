/**
 * Words that comments, texts and documentation avoid, and plainer ones. Patterns ignore case, and a space matches any
 * white space, so that a line break does not hide a phrase. Only add patterns that are almost always wrong.
 */
export default [
  [/\bmend(?:s|ed|ing)?\b/, 'fix, correct'],
  [/\bbeside\b(?!\.)/, 'next to, with, in addition to'],
  [/\bbehind (?:it|its|them|bytes?|each other|the (?:body|bytes?|data|index|last|others?))\b|\bbefore (?:and|or) behind\b/,
    'after'],
  [/\b(?:tells?|telling|told)\b/, 'report, notify, indicate, distinguish'],
  [/\b(?:hear|know|say)s? of\b|\b(?:heard|known|said) of\b/, 'know about, report'],
  [/\blet(?:s|ting)?(?: \w+){0,2} go\b/, 'release, close, disconnect'],
  [/\bma(?:de|kes?|king) up for\b/, 'retry, repeat'],
  [/\bt(?:akes?|aken|aking|ook)(?: \w+)? back\b/, 'roll back, truncate, revert'],
  [/\b(?:go|goes|going|went) on\b/, 'continue, resume, in progress'],
  [/\b(?:go|goes|going|went) up\b|\b(?:are|is) up\b(?! to\b| and\b)/, 'is uploaded, grows'],
  [/\b(?:every|no|some)body\b/, 'name the subject: a client, a user, no process'],
  [/\bwho(?:m|so)?ever\b/, 'anyone who, any client that'],
  [/(?:^\W*|[.:;] )who (?:asks?|can|comes|has|holds|knows|may|reads?|sends?|waits?|wants?)\b/,
    'name the subject: a client that'],
  [/(?<!\b(?:an|any|each|every|first|last|next|no|only|other|same|second|the|this) )\bone (?:that|which|who)\b/,
    'name it: an upload that'],
  [/\b(?:an?|first|its|last|no|the|their) answers?\b|\banswer's\b/, 'response'],
  [/\banswer(?:s|ed|ing)? with\b/, 'respond with, return'],
  [/(?:^\W*|[(,.:;] ?)where (?:it|no|nothing|that|there|they|this)\b/, 'if'],
  [/\b(?:are|be|been|is|was|were) whole\b/, 'complete'],
  [/\bwhole numbers?\b/, 'integer'],
  [/\b(?:are|be|is|was|were) (?:had|wanted)\b/, 'acquired, required, expected'],
  [/\ball the same\b/, 'still'],
  [/\bat hand\b/, 'cached, available'],
  [/\bby (?:itself|themselves)\b/, 'automatically'],
  [/\bfor ever\b/, 'forever'],
  [/\banew\b/, 'again, from the start'],
  [/\bin vain\b/, 'without success'],
  [/\blies\b/, 'is'],
  [/\brid of\b/, 'delete, remove'],
  [/\bwithout a word\b/, 'silently']
]
