// What somebody reads out, pastes or scans to get in touch: a code of sixteen digits or a token of 32 letters and digits.

export type Handover = { readonly code: string } | { readonly token: string };

/** Reads either, however it was grouped; `null` where it is neither. */
export function handover(text: string): Handover | null {
  const bare = text.replace(/[\s-]/g, '');
  if (/^\d{16}$/.test(bare)) return { code: bare };
  const token = text.trim();
  return /^[0-9A-Za-z]{32}$/.test(token) ? { token } : null;
}

/** A code in groups of four, as it is read out. */
export function grouped(code: string): string {
  return code.replace(/\D/g, '').replace(/(.{4})(?=.)/g, '$1 ');
}

/** Whether words are a contact that the agent takes: 1 to 300 bytes, something other than blanks. */
export function isContact(text: string): boolean {
  return text.trim() !== '' && new TextEncoder().encode(text).length <= 300;
}
