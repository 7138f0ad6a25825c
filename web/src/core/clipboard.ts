// A secret on the clipboard is there for a minute, not for whoever pastes next.

/** How long something copied stays, milliseconds. */
export const STAYS_MS = 60_000;

/** Copies, and clears the clipboard after a while; whether it could be copied. */
export async function copyBriefly(text: string, cleared: () => void): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    return false;
  }
  setTimeout(() => void clear(cleared), STAYS_MS);
  return true;
}

async function clear(cleared: () => void): Promise<void> {
  try {
    await navigator.clipboard.writeText('');
    cleared();
  } catch {
    // the page is not in front, and a browser lets only that one write: as soon as it is again
    addEventListener('focus', () => void clear(cleared), { once: true });
  }
}
