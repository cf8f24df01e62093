import { Command } from 'commander';
import { expect, test } from 'vitest';
import { addSettingsOption } from '../../src/commands/clients/environment-options.ts';

test.each([[['--env-file', 'production.env']], [['--env-file=production.env']]])(
  '%j is rejected by a command that has --settings, and names that',
  (args) => {
    const command = new Command('list').exitOverride().configureOutput({ writeErr: () => {} });
    addSettingsOption(command);
    expect(() => command.parse(args, { from: 'user' })).toThrow(/--env-file .*: use --settings FILE/);
    expect(command.helpInformation()).not.toContain('--env-file');
  },
);
