import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { pagePolicy } from '../../../src/main/protocols/content-security.ts';
import {
  createPageHandler,
  isPageAddress,
  pageFile,
  problemAddress,
} from '../../../src/main/protocols/page.ts';
import { createPictureHandler, readPictureAddress } from '../../../src/main/protocols/picture.ts';
import {
  actionAddress,
  actionOfAddress,
  renderProblemPage,
} from '../../../src/main/protocols/problem-page.ts';
import { temporaryFolder } from '../support/storage.ts';

const hash = 'ab'.repeat(32);

describe('the page protocol', () => {
  function servedFolder() {
    const folder = path.join(temporaryFolder(), 'renderer');
    mkdirSync(path.join(folder, 'assets'), { recursive: true });
    writeFileSync(path.join(folder, 'index.html'), '<p>page</p>');
    writeFileSync(path.join(folder, 'assets', 'a.js'), 'export {}');
    writeFileSync(path.join(folder, '..', 'secret.txt'), 'secret');
    return folder;
  }

  test('serves the page with its policy and its media types', async () => {
    const serve = createPageHandler(servedFolder(), () => null);
    const page = await serve({ url: 'textbind-app://page/index.html' });
    expect(page.status).toBe(200);
    expect(await page.text()).toBe('<p>page</p>');
    expect(page.headers.get('content-type')).toBe('text/html; charset=utf-8');
    expect(page.headers.get('content-security-policy')).toBe(pagePolicy);
    expect(page.headers.get('x-content-type-options')).toBe('nosniff');
    const script = await serve({ url: 'textbind-app://page/assets/a.js?v=1' });
    expect(script.headers.get('content-type')).toBe('text/javascript; charset=utf-8');
  });

  test('the policy lets no script in but the page’s own', () => {
    const directives = pagePolicy.split('; ');
    expect(directives).toContain(`default-src 'none'`);
    expect(directives).toContain(`script-src 'self'`);
    expect(pagePolicy).not.toMatch(/unsafe-eval|\*|https?:|script-src[^;]*(unsafe|data:|blob:)/);
  });

  test.each([
    'textbind-app://page/../secret.txt',
    'textbind-app://page/%2e%2e/secret.txt',
    'textbind-app://page/..%2fsecret.txt',
    'textbind-app://page/%2e%2e%2fsecret.txt',
    'textbind-app://page/assets/..%2f..%2fsecret.txt',
    'textbind-app://page/..%5csecret.txt',
    'textbind-app://page/assets%5c..%5c..%5csecret.txt',
    'textbind-app://page//etc/passwd',
    'textbind-app://page/%2fetc%2fpasswd',
    'textbind-app://page/C:/windows/win.ini',
    'textbind-app://page/index.html%00.png',
    'textbind-app://page/%',
    'textbind-app://page/',
    'textbind-app://elsewhere/index.html',
    'textbind-app:/index.html',
    'file:///etc/passwd',
    'nonsense',
  ])('gives nothing outside its folder: %s', async (url) => {
    const folder = servedFolder();
    const response = await createPageHandler(folder, () => null)({ url });
    expect(response.status).toBe(404);
    const file = pageFile(folder, url);
    expect(file === null || file.startsWith(folder + path.sep)).toBe(true);
  });

  test.each([
    ['textbind-app://page/index.html', true],
    ['textbind-app://page.evil/index.html', false],
    ['textbind-app://evil@page/index.html', true],
    ['textbind-picture://page/index.html', false],
    ['https://page/index.html', false],
    ['about:blank', false],
    ['', false],
  ])('whose address it is: %s', (url, ours) => {
    expect(isPageAddress(url)).toBe(ours);
  });

  test('says why the app cannot start, and offers what helps, as words and links and nothing else', async () => {
    const action = { name: 'restore', index: 2, label: 'Restore <b>', note: 'It "costs"' } as const;
    const html = renderProblemPage({
      title: 'Too new',
      sentences: ['The file <script>x</script> & "more"'],
      actions: [action],
      message: null,
      isBusy: false,
    });
    const serve = createPageHandler(servedFolder(), () => html);
    const body = await (await serve({ url: problemAddress })).text();
    expect(body).toContain('The file &lt;script&gt;x&lt;/script&gt; &amp; &quot;more&quot;');
    expect(body).toContain('href="textbind-app://problem/restore/2"');
    expect(body).toContain('Restore &lt;b&gt;');
    expect(body).not.toMatch(/<script|<b>|<form|<button| on\w+=/);
    expect(actionOfAddress(actionAddress(action))).toEqual({ name: 'restore', index: 2 });
  });

  test.each([
    'textbind-app://problem/restore',
    'textbind-app://problem/restore/-1',
    'textbind-app://problem/restore/1/x',
    'textbind-app://problem/restore/1?x',
    'textbind-app://problem/delete/0',
    'textbind-app://problem/constructor/0',
    'textbind-app://page/restore/0',
    'https://problem/restore/0',
  ])('an address that is no action: %s', (url) => {
    expect(actionOfAddress(url)).toBeNull();
    expect(isPageAddress(url)).toBe(url.startsWith('textbind-app://page/'));
  });
});

describe('the picture protocol', () => {
  const served = () => {
    const folder = temporaryFolder();
    writeFileSync(path.join(folder, hash), 'bytes');
    const asked: string[] = [];
    const serve = createPictureHandler({
      fileOf: (name) => path.join(folder, name),
      mediaType: (name) => (
        asked.push(name),
        name === hash || name.startsWith('c') ? 'image/png' : null
      ),
      thumbnail: async (name) =>
        name === hash ? { bytes: Buffer.from('small'), mediaType: 'image/jpeg' } : null,
    });
    return { serve, asked };
  };

  test('serves a picture for ever', async () => {
    const response = await served().serve({ url: `textbind-picture://picture/${hash}` });
    expect(response.status).toBe(200);
    expect(await response.text()).toBe('bytes');
    expect(response.headers.get('content-type')).toBe('image/png');
    expect(response.headers.get('cache-control')).toContain('immutable');
    expect(response.headers.get('content-security-policy')).toBe("default-src 'none'");
  });

  test('serves it small too, readable by our page and no other', async () => {
    const response = await served().serve({ url: `textbind-picture://thumbnail/${hash}` });
    expect(await response.text()).toBe('small');
    expect(response.headers.get('content-type')).toBe('image/jpeg');
    expect(response.headers.get('access-control-allow-origin')).toBe('textbind-app://page');
    const none = await served().serve({ url: `textbind-picture://thumbnail/${'ef'.repeat(32)}` });
    expect(none.status).toBe(404);
  });

  test.each([
    `textbind-picture://picture/${hash}/`,
    `textbind-picture://thumbnail/${hash}/`,
    `textbind-picture://thumbnails/${hash}`,
    `textbind-picture://picture/${hash}?x`,
    `textbind-picture://picture/${hash}#x`,
    `textbind-picture://picture/${hash.toUpperCase()}`,
    `textbind-picture://picture/${hash.slice(1)}`,
    `textbind-picture://picture/../${hash}`,
    `textbind-picture://picture/..%2f${hash}`,
    `textbind-picture://other/${hash}`,
    `textbind-picture://picture/${hash}\n`,
    'textbind-picture://picture/',
    'textbind-picture://picture/../../../etc/passwd',
  ])('knows only hashes: %s', async (url) => {
    const { serve, asked } = served();
    expect(readPictureAddress(url)).toBeNull();
    expect((await serve({ url })).status).toBe(404);
    expect(asked).toEqual([]);
  });

  test('a hash without a row, and a row without its file, are not found', async () => {
    const { serve } = served();
    expect((await serve({ url: `textbind-picture://picture/${'d'.repeat(64)}` })).status).toBe(404);
    expect((await serve({ url: `textbind-picture://picture/${'c'.repeat(64)}` })).status).toBe(404);
  });
});
