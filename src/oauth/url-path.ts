/** A base URL as what is appended to it expects: `https://auth.example/` and `https://auth.example` are one base. */
export function withoutTrailingSlash(url: string): string {
  return url.endsWith('/') ? url.slice(0, -1) : url;
}
