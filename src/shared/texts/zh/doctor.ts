import type { Value } from '../value.ts';
import type { doctor as english } from '../en/doctor.ts';

export const doctor: typeof english = {
  diagnosticsCopiedWithoutFoldersAnd: '诊断信息已复制，不含文件夹和名称',
  lookingAtThisMachineThat: '正在检查这台电脑，需要几秒钟',
  lookedAtNothingOfIt: (toLocaleTimeString: Value) =>
    `检查于 ${toLocaleTimeString}。其中任何内容都不会离开这台电脑。`,
  lookAgain: '再次检查',
  copyDiagnostics: '复制诊断信息',
  findings: '检查结果',
  system: '系统',
  threads: (processor: Value, threads: Value) => `${processor}，${threads} 线程`,
  free: (memoryBytes: Value, freeMemoryBytes: Value) => `${memoryBytes}，空闲 ${freeMemoryBytes}`,
  diskOf: (what: Value) => `磁盘：${what}`,
  ofFree: (freeBytes: Value, totalBytes: Value) => `空闲 ${freeBytes}，共 ${totalBytes}`,
  instructionSetsThatMatter: '相关指令集',
  forIt: (helps: Value) => `用于${helps}`,
  whatNetworksRunOn: '网络的运行设备',
  works: '可用',
  inRuntimesWords: '运行时的原话',
  versions: '版本',
  pythonForTraining: '训练用的 Python',
  notSetUp: '未设置',
  lastCrashes: '最近的崩溃',
  levels: { bad: '有问题', warning: '值得注意', note: '提示', good: '良好' },
  acts: {
    'restart-engine': '重新启动引擎',
    'provider-auto': '由引擎选择',
    'open-logs': '打开日志',
    models: '前往模型',
    training: '前往训练',
  },
  providers: { cuda: 'CUDA', webgpu: 'WebGPU', cpu: '处理器' },
  isThere: { true: '有', false: '无', null: '未知' },
  gpuDriver: (name: Value, driver: Value) => `${name}，驱动 ${driver}`,
  gpuDriverMemory: (name: Value, driver: Value, memory: Value) =>
    `${name}，驱动 ${driver}，${memory}`,
};
