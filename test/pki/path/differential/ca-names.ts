import { der, objectIdentifier, sequence, setOf } from '../../../support/der.ts';
import { encodeName, type NameParts } from '../../../support/distinguished-name.ts';

/** A value that is not a string. */
function bitStringName(text: string): Uint8Array {
  return sequence(setOf(sequence(objectIdentifier('2.5.4.45'), der(0x03, Buffer.from(`\0${text}`)))));
}

/** Two attributes of one RDN against the order of X.690 §11.6. */
function unsortedName(text: string): Uint8Array {
  const unit = (value: string) => sequence(objectIdentifier('2.5.4.11'), der(0x0c, Buffer.from(value)));
  return sequence(der(0x31, unit(`${text} 2`), unit(`${text} 1`)));
}

/** Names of CAs by shape. `utf8` is the same name in another encoding, which some shapes do not have. */
const shapes = {
  plain: (text) => [['CN', text]],
  printable: (text) => [['CN', text, 'printable']],
  teletex: (text) => [['CN', text, 'teletex']],
  bmp: (text) => [['CN', text, 'bmp']],
  universal: (text) => [['CN', text, 'universal']],
  'upper case': (text) => [['CN', ` ${text.toUpperCase()}`]],
  'two OUs in one RDN': (text) => [
    ['O', 'Acme'],
    [
      ['OU', 'PKI'],
      ['OU', text],
    ],
  ],
  'the same OU twice in one RDN': (text) => [
    [
      ['OU', text],
      ['OU', text],
    ],
  ],
  'unsorted RDN': unsortedName,
  underscore: (text) => [['CN', `${text}_`, 'printable']],
  ampersand: (text) => [['O', `${text} & Company`, 'printable']],
  'empty value': (text) => [
    ['OU', ''],
    ['CN', text],
  ],
  'empty RDN': (text) => [['CN', `${text} and nothing`], []],
  NUL: (text) => [['CN', `${text}\0`]],
  'zero-width space': (text) => [['CN', `${text}\u200b`]],
  'unknown type': (text) => [['1.3.6.1.4.1.99999.1', text]],
  'BIT STRING': bitStringName,
} as const satisfies Record<string, (text: string) => NameParts | Uint8Array>;

export type NameShape = keyof typeof shapes;

/** Safe: the table above is closed, so its keys are exactly the shapes. */
export const nameShapes = Object.keys(shapes) as readonly NameShape[];

/** The DER of a CA's name. */
export function caName(shape: NameShape, text: string): Uint8Array {
  const name: NameParts | Uint8Array = shapes[shape](text);
  return name instanceof Uint8Array ? name : encodeName(name);
}

/** The same name, with every PrintableString as UTF8String. */
export function inUtf8(name: Uint8Array): Uint8Array {
  const PRINTABLE_CN = Buffer.from('0603550403' + '13', 'hex');
  const PRINTABLE_O = Buffer.from('060355040a' + '13', 'hex');
  const bytes = Buffer.from(name);
  for (const type of [PRINTABLE_CN, PRINTABLE_O]) {
    const at = bytes.indexOf(type);
    if (at !== -1) bytes[at + type.length - 1] = 0x0c;
  }
  return bytes;
}
