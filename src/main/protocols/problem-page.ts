/** A page, without any script, that says why the app cannot start. */
export function renderProblemPage(title: string, sentence: string): string {
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>TextBind Studio</title>
<style>
:root { color-scheme: light dark; font: 15px/1.5 system-ui, sans-serif; }
body { max-width: 34rem; margin: 20vh auto 0; padding: 0 2rem; }
h1 { font-size: 1.25rem; }
p { overflow-wrap: anywhere; }
</style>
<main role="alert" data-testid="startup-problem">
<h1>${escapeHtml(title)}</h1>
<p>${escapeHtml(sentence)}</p>
</main>
</html>
`;
}

function escapeHtml(text: string): string {
  const names: Readonly<Record<string, string>> = {
    '&': '&amp;',
    '<': '&lt;',
    '>': '&gt;',
    '"': '&quot;',
    "'": '&#39;',
  };
  return text.replaceAll(/[&<>"']/g, (character) => names[character] ?? '');
}
