import { Menu, type MenuItemConstructorOptions } from 'electron';
import type { Texts } from '../shared/texts/texts.ts';

type Items = MenuItemConstructorOptions[];

/**
 * The menu, hidden outside macOS, for its keys: editing, zoom, full screen, close, quit. No reload: it would only
 * lose what is being written. Each item has its words here, since Electron's roles know English alone.
 */
export function setupMenu({ desktop: { menu } }: Texts): void {
  const isMac = process.platform === 'darwin';
  const template: Items = [
    ...(isMac ? [appMenu(menu)] : []),
    {
      label: menu.file,
      submenu: [isMac ? { role: 'close', label: menu.close } : { role: 'quit', label: menu.quit }],
    },
    { label: menu.edit, submenu: editItems(menu) },
    {
      label: menu.view,
      submenu: [
        { role: 'resetZoom', label: menu.actualSize },
        { role: 'zoomIn', label: menu.zoomIn },
        { role: 'zoomOut', label: menu.zoomOut },
        { type: 'separator' },
        { role: 'togglefullscreen', label: menu.fullScreen },
        { role: 'toggleDevTools', label: menu.developerTools },
      ],
    },
    {
      label: menu.window,
      submenu: [
        { role: 'minimize', label: menu.minimize },
        { role: 'zoom', label: menu.zoom },
        isMac ? { role: 'front', label: menu.front } : { role: 'close', label: menu.close },
      ],
    },
  ];
  Menu.setApplicationMenu(Menu.buildFromTemplate(template));
}

function appMenu(menu: Texts['desktop']['menu']): MenuItemConstructorOptions {
  const submenu: Items = [
    { role: 'about', label: menu.about },
    { type: 'separator' },
    { role: 'services', label: menu.services },
    { type: 'separator' },
    { role: 'hide', label: menu.hide },
    { role: 'hideOthers', label: menu.hideOthers },
    { role: 'unhide', label: menu.showAll },
    { type: 'separator' },
    { role: 'quit', label: menu.quit },
  ];
  return { label: 'TextBind Studio', submenu };
}

function editItems(menu: Texts['desktop']['menu']): Items {
  return [
    { role: 'undo', label: menu.undo },
    { role: 'redo', label: menu.redo },
    { type: 'separator' },
    { role: 'cut', label: menu.cut },
    { role: 'copy', label: menu.copy },
    { role: 'paste', label: menu.paste },
    { role: 'delete', label: menu.delete },
    { type: 'separator' },
    { role: 'selectAll', label: menu.selectAll },
  ];
}
