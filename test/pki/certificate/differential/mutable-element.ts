import { childrenOf, contentOf, der } from '../../../support/der.ts';

/** A DER element that can be changed. An OCTET STRING or BIT STRING that contains DER has children as well. */
export interface MutableElement {
  tag: number;
  content: Buffer;
  children: MutableElement[] | undefined;
  /** What is before the children: the count of unused bits of a BIT STRING. */
  readonly prefix: Buffer;
}

const NONE = Buffer.of();
const BIT_STRING = 0x03;
const OCTET_STRING = 0x04;
const CONSTRUCTED = 0x20;

export function parseElement(encoded: Uint8Array): MutableElement {
  const tag = encoded[0] ?? 0;
  const content = Buffer.from(contentOf(encoded));
  if (tag & CONSTRUCTED) return { tag, content: NONE, children: childrenOf(encoded).map(parseElement), prefix: NONE };
  const prefix = tag === BIT_STRING ? content.subarray(0, 1) : NONE;
  const inner = content.subarray(prefix.length);
  if ((tag !== BIT_STRING && tag !== OCTET_STRING) || !isDer(inner))
    return { tag, content, children: undefined, prefix: NONE };
  return { tag, content: NONE, children: [parseElement(inner)], prefix };
}

/** Whether the bytes look like one element: good enough for bytes that are only changed. */
function isDer(bytes: Uint8Array): boolean {
  if (bytes.length < 2 || ![0x02, 0x03, 0x04, 0x30].includes(bytes[0] ?? 0)) return false;
  return Buffer.compare(der(bytes[0] ?? 0, contentOf(bytes)), bytes) === 0;
}

export function encodeElement({ tag, content, children, prefix }: MutableElement): Buffer {
  return children ? der(tag, prefix, ...children.map(encodeElement)) : der(tag, content);
}

/** The element and all below it. */
export function elementsOf(element: MutableElement): MutableElement[] {
  return [element, ...(element.children ?? []).flatMap(elementsOf)];
}
