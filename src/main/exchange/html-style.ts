/** The window's look for a document that stands alone: its colours, measures and turns; on paper always light. */
export const htmlStyle = `
:root {
  color-scheme: light dark;
  --ground: light-dark(oklch(0.992 0.003 85), oklch(0.205 0.004 75));
  --tint: light-dark(oklch(0.968 0.005 85), oklch(0.238 0.005 75));
  --text: light-dark(oklch(0.25 0.008 75), oklch(0.93 0.005 85));
  --faint: light-dark(oklch(0.51 0.008 75), oklch(0.685 0.006 85));
  --line: light-dark(oklch(0.9 0.005 85), oklch(0.3 0.005 75));
  --accent: light-dark(oklch(0.46 0.078 195), oklch(0.74 0.095 190));
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--ground); color: var(--text); font: 15px/1.55 'Inter Variable', Inter, system-ui, sans-serif; }
main { max-width: 752px; margin: 0 auto; padding: 32px 16px 64px; }
header { padding: 0 16px 16px; }
h1 { margin: 0; font-size: 20px; line-height: 1.3; overflow-wrap: anywhere; }
header p, figcaption, .note, summary { color: var(--faint); font-size: 12px; }
header p { margin: 4px 0 0; }
h2 { margin: 0 0 4px; color: var(--faint); font-size: 12px; font-weight: 500; }
.turn { padding: 12px 16px; margin: 0 0 12px; border-radius: 10px; }
.user { background: var(--tint); }
.written { margin: 0; white-space: pre-wrap; overflow-wrap: anywhere; }
.words { overflow-wrap: anywhere; }
.words > :first-child { margin-top: 0; }
.words > :last-child { margin-bottom: 0; }
.words h3, .words h4, .words h5, .words h6 { margin: 18px 0 6px; line-height: 1.3; }
.words h3 { font-size: 18px; } .words h4 { font-size: 16px; } .words h5, .words h6 { font-size: 15px; }
a { color: var(--accent); }
code, pre { font-family: ui-monospace, 'SF Mono', 'Cascadia Mono', 'DejaVu Sans Mono', monospace; font-size: 13px; }
pre { padding: 12px; border-radius: 8px; background: var(--tint); white-space: pre-wrap; overflow-wrap: anywhere; }
blockquote { margin: 0 0 12px; padding-left: 12px; border-left: 2px solid var(--line); color: var(--faint); }
table { border-collapse: collapse; }
th, td { padding: 6px 10px; border: 1px solid var(--line); text-align: start; vertical-align: top; }
figure { margin: 12px 0; break-inside: avoid; }
img { display: block; max-width: 100%; height: auto; border-radius: 10px; }
figure.drawn img { width: min(100%, max(384px, min(100%, 720px))); }
figcaption { margin-top: 6px; }
.recipe { display: block; font-variant-numeric: tabular-nums; }
details { margin-top: 8px; }
.version { margin-top: 8px; padding-left: 12px; border-left: 2px solid var(--line); }
@media print {
  :root { color-scheme: light; }
  main { max-width: none; padding: 0; }
  .turn { padding: 8px 0; }
  .user { padding: 8px 12px; print-color-adjust: exact; }
}
`;
