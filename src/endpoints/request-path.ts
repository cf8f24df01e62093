/**
 * The path of a request target, octet by octet as it was sent: nothing is decoded and no dot segment resolved. A rule
 * that a proxy has for `/token` sees that spelling alone, so no other one may lead there.
 *
 * @param target Node's `incoming.url`
 */
export function requestPath(target: string = ''): string {
  const query = target.indexOf('?');
  return query < 0 ? target : target.slice(0, query);
}
