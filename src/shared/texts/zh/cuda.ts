import type { Value } from '../value.ts';
import type { cuda as english } from '../en/cuda.ts';

export const cuda: typeof english = {
  title: '用于 NVIDIA GPU 的 CUDA',
  canBeFetched: (card: Value, host: Value) =>
    `此电脑有 ${card}。使用 CUDA 时，引擎需要一个未随应用提供的库。在您按下按钮之前，不会访问网络；之后会向 ${host} 询问它的大小，由您决定。`,
  whatItNeeds: (name: Value, version: Value) =>
    `${name} ${version}，几百兆字节。此外还需要安装 NVIDIA 驱动、CUDA 和 cuDNN 9；它们来自 NVIDIA，不由这里提供。`,
  isHere: '库已在本机，所需的组件也都有。重新启动引擎即可使用。',
  isUsed: (card: Value) => `库已在本机，正在通过它使用 ${card}。`,
  isHereAndNotEnough: '库已在本机，但引擎还不能使用它。',
  install: (version: Value) =>
    `请从 NVIDIA 安装 ${version} 和 cuDNN 9；用支持 CUDA 的 PyTorch 设置训练时也会一并装好。然后再次查看。`,
  notFound: (names: Value) => `没有找到：${names}`,
  lookAgain: '再次查看',
};
