import { contextBridge, ipcRenderer, webUtils } from 'electron';
import { appChannels } from '../../shared/contracts/app-channels.ts';
import type { AppBridge, AppEventName } from '../../shared/contracts/app-ipc.ts';
import { readLanguageArgument } from '../../shared/texts/language.ts';

const bridge: AppBridge = {
  request: (name, body) => ipcRenderer.invoke(appChannels.request, name, body),
  onEvent(receive) {
    const listener = (_event: unknown, name: AppEventName, body: unknown): void =>
      receive(name, body);
    ipcRenderer.on(appChannels.event, listener);
    return () => ipcRenderer.off(appChannels.event, listener);
  },
  pathOf: (file) => (file instanceof File ? webUtils.getPathForFile(file) : ''),
  platform: process.platform,
  language: readLanguageArgument(process.argv),
};

contextBridge.exposeInMainWorld('api', bridge);
