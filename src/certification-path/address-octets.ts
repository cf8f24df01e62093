/** The octets of an address as a certificate's names hold it: dotted, or in the short form of IPv6 (RFC 5952). */
export function addressOctets(text: string): readonly number[] {
  if (!text.includes(':')) return text.split('.').map(Number);
  const [head = '', tail] = text.split('::');
  const groups = (part: string) => (part === '' ? [] : part.split(':').flatMap(groupOctets));
  const [before, after] = [groups(head), groups(tail ?? '')];
  return [...before, ...Array<number>(tail === undefined ? 0 : 16 - before.length - after.length).fill(0), ...after];
}

/** Two octets of a group, or four where the end is dotted. */
function groupOctets(group: string): number[] {
  if (group.includes('.')) return group.split('.').map(Number);
  const value = Number.parseInt(group, 16);
  return [value >> 8, value & 0xff];
}
