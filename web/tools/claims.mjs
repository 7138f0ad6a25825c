// `npm run claims`: what the app shows of docs/claims.toml when a citation is tapped. A test holds the result against
// the ledger. The ledger is written by hand in one shape, so this reads that shape and nothing more of TOML.
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath, pathToFileURL } from 'node:url';

/** Every claim's id, sentence, status and limits. */
export function claims(toml) {
  const one = (block) => {
    const text = (key) => {
      const [, long, short] = block.match(new RegExp(`^${key} = (?:"""\\n?([\\s\\S]*?)"""|"(.*)")$`, 'm')) ?? [];
      // links lead to pages of the project, which the app does not carry
      return (long ?? short ?? '').replace(/\s+/g, ' ').replace(/\[([^\]]+)\]\([^)]+\)/g, '$1').trim();
    };
    return [text('id'), { sentence: text('sentence'), status: text('status'), limits: text('limits') }];
  };
  return Object.fromEntries(toml.split('\n[[claim]]\n').slice(1).map(one));
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  const at = (path) => fileURLToPath(new URL(path, import.meta.url));
  const made = claims(readFileSync(at('../../docs/claims.toml'), 'utf8'));
  writeFileSync(at('../src/claims.json'), `${JSON.stringify(made, null, 1)}\n`);
}
