// @peculiar/x509 resolves its parts through a container that needs this polyfill to be there first.
import 'reflect-metadata';

export { BasicConstraintsExtension, ExtendedKeyUsageExtension } from '@peculiar/x509';
