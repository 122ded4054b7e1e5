// What other programs may ask the app to show. A link stands in any page on the web: it must show a place, or nothing.
import { describe, expect, it } from 'vitest';
import { createOpener, readLink, readOpening, type OpenerParts } from '../../src/main/opening.ts';
import { silentLogger } from '../../src/base/log.ts';

const conversationId = '0b8f8a5e-7d1f-4c55-9a40-2f8f5a1d2e3c';
const place = (name: string, id: string | null = null): unknown => ({
  kind: 'place',
  place: { place: name, conversationId: id },
});

describe('a textbind: link', () => {
  it.each(['chat', 'trash', 'gallery', 'training', 'models', 'settings'])('shows %s', (name) => {
    expect(readLink(`textbind://open/${name}`)).toEqual(place(name));
  });

  it('shows a conversation', () => {
    expect(readLink(`textbind://conversation/${conversationId}`)).toEqual(
      place('chat', conversationId),
    );
  });

  it.each([
    '',
    'textbind:',
    'textbind:open/chat',
    'textbind://open/chat/',
    'textbind://open/chat?send=hello',
    'textbind://open/chat#x',
    'textbind://open/chat\n--no-sandbox',
    'textbind://open/../settings',
    'textbind://open/nowhere',
    'TEXTBIND://open/chat',
    'textbind://user@open/chat',
    'textbind://open:80/chat',
    'textbind://conversation/',
    `textbind://conversation/${conversationId}/delete`,
    `textbind://conversation/${conversationId.toUpperCase()}`,
    "textbind://conversation/' OR 1=1 --",
    'textbind://run/rm',
    'file:///etc/passwd',
    'javascript:alert(1)',
    ` textbind://open/chat`,
    `textbind://open/${'a'.repeat(100_000)}`,
  ])('leads nowhere: %j', (link) => {
    expect(readLink(link)).toEqual({ kind: 'unknown' });
  });
});

describe('the command line', () => {
  it('is read behind the switches, from its end', () => {
    const args = ['/opt/app', '--user-data-dir=/x', 'textbind://open/models', '--flag'];
    expect(readOpening(args, '/')).toEqual(place('models'));
    expect(readOpening(['/opt/app', '--x=textbind://open/chat'], '/')).toBeNull();
    expect(readOpening(['/opt/app'], '/')).toBeNull();
    expect(readOpening(['textbind://open/chat'], '/')).toBeNull();
  });

  it('names an archive by its whole path', () => {
    expect(readOpening(['/opt/app', 'my talks.textbind'], '/home/person')).toEqual({
      kind: 'archive',
      file: '/home/person/my talks.textbind',
    });
  });
});

describe('the opener', () => {
  function opened(isConversation = true) {
    const shown: unknown[] = [];
    const archives: string[] = [];
    const said: string[] = [];
    const parts: OpenerParts = {
      show: (each) => void shown.push(each),
      say: (each) => void said.push(each),
      isConversation: () => isConversation,
      openArchive: (file) => void archives.push(file),
      log: silentLogger,
    };
    return { parts, shown, said, archives };
  }

  it('keeps what was asked for before there was a window', () => {
    const opener = createOpener();
    const { parts, shown } = opened();
    opener.take(readLink('textbind://open/chat'));
    opener.take(readLink('textbind://open/settings'));
    opener.take(null);
    opener.ready(parts);
    expect(shown).toEqual([{ place: 'settings', conversationId: null }]);
    opener.take(readLink('textbind://open/models'));
    expect(shown).toHaveLength(2);
  });

  it('offers an archive that was opened by double-click', () => {
    const opener = createOpener();
    const { parts, archives, said } = opened();
    opener.take(readOpening(['/opt/app', 'my talks.textbind'], '/home/person'));
    opener.ready(parts);
    expect(archives).toEqual(['/home/person/my talks.textbind']);
    expect(said).toEqual([]);
  });

  it('says where a link leads nowhere, and shows nothing', () => {
    const opener = createOpener();
    const { parts, shown, said } = opened(false);
    opener.ready(parts);
    opener.take({ kind: 'unknown' });
    opener.take(readLink(`textbind://conversation/${conversationId}`));
    expect(shown).toEqual([]);
    expect(said).toHaveLength(2);
    expect(said[1]).toContain('not on this machine');
  });
});
