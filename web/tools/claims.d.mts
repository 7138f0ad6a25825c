export function claims(toml: string): Record<string, { sentence: string; status: string; limits: string }>;
