/** Sentences of the engine, of models and downloads, and of training. */
export const zhOfModels: Readonly<Record<string, string>> = {
  // The engine
  'The engine': '引擎',
  'The process that draws': '绘图进程',
  'The process that reads models': '读取模型的进程',
  '{called} could not be started: {reason}': '无法启动{called}：{reason}',
  '{called} is being restarted.': '正在重新启动{called}。',
  '{called} was not ready after {seconds} s.': '{called}在 {seconds} 秒后仍未就绪。',
  '{called} did not answer for {seconds} s and was ended.':
    '{called}在 {seconds} 秒内没有响应，已被结束。',
  '{called} has not answered for {seconds} s.': '{called}已有 {seconds} 秒没有响应。',
  '{called} ended with code {code}.': '{called}以代码 {code} 结束。',
  '{called} was ended by {signal}.': '{called}被 {signal} 结束。',
  '{called} was ended by {signal} (the system does this when memory runs out).':
    '{called}被 {signal} 结束（内存耗尽时系统会这样做）。',
  'The process that draws was ended.': '绘图进程被结束。',
  '{reason} Draw again to try once more.': '{reason}重新绘制可再试一次。',
  'The process that draws ran out of memory.': '绘图进程内存不足。',
  '{reason} Draw again: it will take less memory, and longer.':
    '{reason}重新绘制：占用内存会更少，时间更长。',
  'It was recalled.': '已被收回。',
  'Nothing draws here.': '这里不能绘图。',
  '{runtime} cannot be started': '无法启动 {runtime}',
  'The engine does not run.': '引擎没有运行。',
  'The engine is halted.': '引擎已停止。',
  'No model is wanted.': '没有指定模型。',
  '“{name}” is training and has the memory; the model comes back when it ends.':
    '“{name}”正在训练并占用内存；结束后模型会恢复。',
  'Another model has the memory while two are compared.': '比较两个模型时，内存由另一个模型使用。',
  'A model is being measured already.': '已有模型在测量。',
  '{folder} is no model here.': '{folder} 不是这里的模型。',
  "The engine's reply to {name} is not what was agreed.": '引擎对 {name} 的回应不符合约定。',

  // What a person brings
  'It is not there.': '它不在那里。',
  'Nothing that a model is made of was found in it.': '其中没有找到模型的任何部分。',
  'Not recognised.': '无法识别。',
  'A model of this app, whole.': '此应用的完整模型。',
  'A vision encoder of BLIP-2: sees pictures.': 'BLIP-2 的视觉编码器：看图片。',
  'A whole BLIP-2: its vision encoder and its Q-Former keys are used, its language model is not.':
    '完整的 BLIP-2：使用其视觉编码器和 Q-Former 权重，不使用其语言模型。',
  'The vision encoder and the Q-Former keys of a BLIP-2.': 'BLIP-2 的视觉编码器和 Q-Former 权重。',
  'It is a BLIP-2 without a vision encoder.': '这是没有视觉编码器的 BLIP-2。',
  'A Llama language model of {layers} layers, {hidden} wide: writes.':
    'Llama 语言模型，{layers} 层，宽 {hidden}：写文字。',
  'A Llama language model of {layers} layers, {hidden} wide, in llama.cpp’s format (GGUF): writes.':
    'Llama 语言模型，{layers} 层，宽 {hidden}，llama.cpp 格式（GGUF）：写文字。',
  'A model in llama.cpp’s format (GGUF).': 'llama.cpp 格式（GGUF）的模型。',
  'It has no tokenizer (tokenizer.json or tokenizer.model).':
    '它没有分词器（tokenizer.json 或 tokenizer.model）。',
  'A refiner of Stable Diffusion XL: finishes what a base drew.':
    'Stable Diffusion XL 的精修模型：精修基础模型绘制的图片。',
  'A Stable Diffusion XL base: draws.': 'Stable Diffusion XL 基础模型：绘图。',
  'Its folder {name} is missing.': '缺少它的文件夹 {name}。',
  "It is a {kind}; only Stable Diffusion XL's family draws here.":
    '这是 {kind}；这里只有 Stable Diffusion XL 系列能绘图。',
  'Its config.json says "{kind}", which this app cannot build.':
    '它的 config.json 写的是“{kind}”，此应用无法搭建。',
  'A checkpoint with a language model alone, as a run may leave it.':
    '只含语言模型的检查点，训练任务可能会留下这样的检查点。',
  'It is a language model’s weights; bring the folder with its config.json and tokenizer.':
    '这是语言模型的权重；请添加含 config.json 和分词器的文件夹。',
  'Its {count} tensors belong to nothing that this app builds.':
    '它的 {count} 个张量不属于此应用能搭建的任何网络。',
  'A TextBind checkpoint of stage 2: Q-Former, projection and language model.':
    '阶段 2 的 TextBind 检查点：Q-Former、投影层和语言模型。',
  'A TextBind checkpoint of stage 1: query tokens, Q-Former and projection.':
    '阶段 1 的 TextBind 检查点：查询 token、Q-Former 和投影层。',
  'The Q-Former’s keys that stage 1 begins with, without a projection: a checkpoint has to bring that.':
    '阶段 1 起始所用的 Q-Former 权重，没有投影层：需由检查点提供。',

  // Models and downloads
  '{place} does not answer: its drive is asleep, slow or away.':
    '{place} 没有响应：其磁盘在休眠、很慢或不在。',
  'Another model is being added; wait for it, or stop it.':
    '正在添加另一个模型；请等待，或停止它。',
  'A part alone is no model.': '单独的部件不是模型。',
  '{folder}: there is no such part.': '{folder}：没有这样的部件。',
  '{part} is used by {models}.': '{part} 被 {models} 使用。',
  'It takes {bytes}; the disk has {free} free.': '需要 {bytes}；磁盘空闲 {free}。',
  '{folder} is not one of your models.': '{folder} 不是您的模型。',
  '{name}: {file} has {size} bytes, it should have {bytes}.':
    '{name}：{file} 有 {size} 字节，应为 {bytes}。',
  '{name}: {file} is not as it was fetched. Fetch it again.':
    '{name}：{file} 与获取时不同。请重新获取。',
  '{folder}: there is no textbind.json': '{folder}：没有 textbind.json',
  '{file}: field "{field}": {place} does not exist': '{file}：字段“{field}”：{place} 不存在',
  'It was under way when the app was closed.': '应用关闭时它正在进行。',
  'Look at it again first.': '请先再次查看。',
  '{name} is in the list already.': '{name} 已在列表中。',
  'The catalogue has no {id}.': '目录中没有 {id}。',
  'This download is not in the list.': '此下载不在列表中。',
  '{file}: the disk does not keep what is written to it.': '{file}：磁盘没有保留写入的内容。',
  '{host} ended too soon.': '{host} 过早结束。',
  'The server gives whole files only; the pieces that are needed cannot be had.':
    '服务器只提供整个文件；无法取得所需的部分。',
  'The disk has {free} free; {needed} are needed. Make room, then go on.':
    '磁盘空闲 {free}；需要 {needed}。请腾出空间，然后继续。',
  '{host}: too many redirections': '{host}：重定向过多',
  'What is fetched comes over https only, not from {address}':
    '只通过 https 获取，不从 {address} 获取',
  'no answer within {seconds} s': '{seconds} 秒内没有回应',
  '{address}: the server answered {status}': '{address}：服务器回应 {status}',
  '{host} does not answer as a hub does ({path}).': '{host} 的回应不像模型站（{path}）。',
  '{host} has no {path} (404).': '{host} 没有 {path}（404）。',
  '{host} could not be asked: {message}': '无法询问 {host}：{message}',
  '{repository} has no weights among {wanted}.': '{repository} 中没有这些权重：{wanted}。',
  '{host} has no {name} any more ({status}).': '{host} 已没有 {name}（{status}）。',
  '{host} answered {status}.': '{host} 回应 {status}。',
  '{host} is busy ({status}).': '{host} 正忙（{status}）。',
  '{host} wants to know who asks (401). Put in a token of your account there.':
    '{host} 要求身份（401）。请填入您在那里的账号令牌。',
  "{host} does not give this to your account (403). Accept its terms on the model's page, then go on.":
    '{host} 不向您的账号提供此内容（403）。请在模型页面接受其条款，然后继续。',
  '{host} gave other bytes than were asked for.': '{host} 给出的字节与请求不符。',
  '{name} changed on the hub: {how}.': '{name} 在模型站上已改变：{how}。',
  'The disk is full ({code}).': '磁盘已满（{code}）。',
  'The disk refuses: {message}': '磁盘拒绝：{message}',
  'The connection broke: {message}.': '连接中断：{message}。',
  'What the hub gives is not what its listing says, each time the same. It was deleted.':
    '模型站给出的内容每次都与其列表不符。已删除。',
  'The connection changes what it carries.': '连接改变了传输的内容。',
  'The server gave the whole file in place of a piece.': '服务器给出了整个文件，而不是一部分。',

  '"{name}" holds conversations already.': '“{name}”中已有对话。',
  '{folder}: holds neither a model (textbind.json) nor a CLIP (config.json).':
    '{folder}：其中既没有模型（textbind.json），也没有 CLIP（config.json）。',
  '{folder}: holds a {kind}, and no CLIP.': '{folder}：其中是 {kind}，不是 CLIP。',
  '{to}: the drive does not hold what was written to it.': '{to}：磁盘没有保住写入的内容。',
  'Another model is being moved or added; wait for it.': '正在移动或添加另一个模型；请等待。',
  'Nothing of it is to be moved.': '没有可移动的内容。',
  'It stays where it is.': '它留在原处。',
  '{target} is no folder.': '{target} 不是文件夹。',
  'This is the app’s own folder; choose one on another drive.':
    '这是应用自己的文件夹；请选择另一个磁盘上的文件夹。',
  'A model is being moved; wait for it, or stop it.': '正在移动一个模型；请等待，或停止它。',
  '{place} is there already; choose another folder.': '{place} 已存在；请选择另一个文件夹。',
  'It is on its way to {where} already. Start the app with that drive.':
    '它已在移往 {where} 的途中。请连接该磁盘后启动应用。',

  // Training
  'At least {least} pictures are more than at most {most}.':
    '至少 {least} 张图片多于至多 {most} 张。',
  'The seed settles the pictures: conversations are written by it already.':
    '种子决定图片：已有对话按它写成。',
  'Captions would go to {address}, which nobody said yes to.':
    '描述会发送到 {address}，但没有人同意过。',
  'It is against the rules as it stands: edit it first.': '它目前不符合规则：请先编辑。',
  'Its pictures were not looked at yet.': '尚未查看其图片。',
  '"{name}" is under way.': '“{name}”正在进行。',
  '{address} does not answer: {reason}.': '{address} 没有应答：{reason}。',
  '{address} answered {status}.': '{address} 返回 {status}。',
  '{address} gave an answer without a message.': '{address} 的回答里没有消息。',
  '{address} gave an empty answer.': '{address} 给出了空的回答。',
  'Give an address that begins with https.': '请填写以 https 开头的地址。',
  'See that the server runs and that the address is right, then go on.':
    '请确认服务器在运行且地址正确，然后继续。',
  'Try again.': '请再试一次。',
  'Put in a key that this server takes, then go on.': '请填写此服务器接受的密钥，然后继续。',
  'The account there has no credit left.': '那里的账户没有余额了。',
  'See whether the address ends as the server has it (often /v1), and whether it has a model called {model}.':
    '请检查地址的结尾是否与服务器一致（常为 /v1），以及它是否有名为 {model} 的模型。',
  'The server takes no more requests for now.': '服务器暂时不再接受请求。',
  'The server has trouble of its own: go on later.': '服务器自身有问题：请稍后继续。',
  'See what it says of the request, then go on.': '请查看它对请求的说明，然后继续。',
  'Open a model with a longer context, shorten the prompts, or use a server.':
    '请打开上下文更长的模型、缩短提示，或使用服务器。',
  'See the model in the chat, then go on.': '请在对话中查看模型，然后继续。',
  'Go on when that is mended.': '解决之后请继续。',
  'There is no recipe {id}.': '没有配方 {id}。',
  '"{name}" is under way: pause it first.': '“{name}”正在进行：请先暂停。',
  'There is no data set {id}.': '没有数据集 {id}。',
  '"{name}" has too many faults to leave them out one by one: mend it first.':
    '“{name}”的错误太多，无法逐个略去：请先修正。',
  'Looking through the rows': '正在检查各行',
  '{place}: give the whole path, from the root.': '{place}：请给出从根目录开始的完整路径。',
  '{place}: does not exist.': '{place}：不存在。',
  '{place}: is nothing that can be trained on. Stage 1 takes pictures with captions (WebDataset tars, a folder of pictures with their texts or a table beside them, csv, tsv, parquet); stage 2 conversations (JSON or JSON lines, or a folder with train.json and its pictures).':
    '{place}：不能用于训练。阶段 1 接受带描述的图片（WebDataset tar、旁边有文字或表格的图片文件夹、csv、tsv、parquet）；阶段 2 接受对话（JSON 或 JSON lines，或含 train.json 及其图片的文件夹）。',
  '{from}: the run never started there: it has no events.':
    '{from}：训练任务从未在那里启动：没有事件。',
  'Training needs Python with PyTorch. Set it up under Training, Environment.':
    '训练需要带 PyTorch 的 Python。请在训练的环境中设置。',
  'Asking this Python': '正在询问此 Python',
  '{python}: is no Python that starts.': '{python}：不是可以启动的 Python。',
  '{python}: is Python {version}; {least} or newer is needed.':
    '{python}：是 Python {version}；需要 {least} 或更新版本。',
  'Looking for Python': '正在查找 Python',
  'Making the environment': '正在建立环境',
  'Looking for pip': '正在查找 pip',
  'No Python is set up yet.': '尚未设置 Python。',
  'Starting Python': '正在启动 Python',
  'Training one step, to see that it works': '正在训练一步，以确认可用',
  'The environment is being worked on already.': '环境正在处理中。',
  'Given up.': '已放弃。',
  '{python} is not there any more.': '{python} 已不存在。',
  'No Python {least} or newer was found. {how}, then look again.':
    '没有找到 Python {least} 或更新版本。{how}，然后再次查找。',
  'Install it from python.org': '请从 python.org 安装',
  'Install it from python.org or with Homebrew': '请从 python.org 或用 Homebrew 安装',
  'Install it with the package manager of this system (python3 and python3-venv)':
    '请用系统的软件包管理器安装（python3 和 python3-venv）',
  'This Python does not train: {message}': '此 Python 无法训练：{message}',
  "This Python lacks the package {name}. Install the packages of the trainer's requirements.txt into it, or let the app make an environment of its own.":
    '此 Python 缺少软件包 {name}。请把训练器 requirements.txt 中的软件包装入其中，或让应用建立自己的环境。',
  'It lacks the package {name}.': '它缺少软件包 {name}。',
  'Only what the app made itself can be repaired.': '只有应用自己建立的环境可以修复。',
  'The trainer did not start: {words}': '训练器没有启动：{words}',
  'The process of the trainer was ended by SIGKILL; the system does this when memory runs out.':
    '训练器的进程被 SIGKILL 结束；内存耗尽时系统会这样做。',
  'The process of the run was ended by SIGKILL; the system does this when memory runs out.':
    '训练任务的进程被 SIGKILL 结束；内存耗尽时系统会这样做。',
  'The process of the run was ended by {signal}.': '训练任务的进程被 {signal} 结束。',
  'The process of the run is gone: it was ended from outside, or the machine went off.':
    '训练任务的进程已不存在：它被外部结束，或电脑关机了。',
  'Fetching {what}, {size}': '正在获取 {what}，{size}',
  'Looking for {what}': '正在查找 {what}',
  'Unpacking the packages': '正在解开软件包',
  'The package index could not be reached. Is this machine on the network? Packages come from pypi.org, or from the index that pip is configured for.':
    '无法连接软件包索引。这台电脑连网了吗？软件包来自 pypi.org，或 pip 配置的索引。',
  'The disk is full. PyTorch and its packages take 2 to 8 GB, depending on the build.':
    '磁盘已满。PyTorch 及其软件包需要 2 到 8 GB，视版本而定。',
  'The package index has no {name} for this Python. Another version of Python may have it.':
    '软件包索引没有适用于此 Python 的 {name}。其他版本的 Python 可能有。',
  'The packages could not be installed: {reason}': '无法安装软件包：{reason}',
  'This Python cannot make environments: on Debian and Ubuntu the package python3-venv is missing. Install it, then try again.':
    '此 Python 不能建立环境：在 Debian 和 Ubuntu 上缺少软件包 python3-venv。请安装后重试。',
  'No environment could be made: {reason}': '无法建立环境：{reason}',
  'Change the setting that is named, then go on.': '请更改所指的设置，然后继续。',
  'Look through the data set under Data: it lists each fault with its row. Rows with faults can be left out.':
    '请查看数据中的数据集：其中列出了每处错误及其行。有错误的行可以略去。',
  'The files of a checkpoint are not what was written. Delete the damaged one in the folder of the run, or begin a new run.':
    '检查点的文件与写入的内容不符。请在训练任务的文件夹中删除损坏的检查点，或开始新的训练任务。',
  'The loss grew without bound. Lower the learning rate, to a third for a start, and go on: the last checkpoint is from before.':
    '损失无限增大。请降低学习率（先降到三分之一），然后继续：最后的检查点是在此之前保存的。',
  'Make the micro-batch smaller, or turn on activation checkpointing or adapters (LoRA) in a new run. Closing other programs helps too.':
    '请减小微批次，或在新的训练任务中开启激活重计算或适配器（LoRA）。关闭其他程序也有帮助。',
  'Make room on the disk, then go on from the last checkpoint. Keeping fewer checkpoints takes less.':
    '请在磁盘上腾出空间，然后从最后的检查点继续。少保留检查点可节省空间。',
  'The log says more. Going on from the last checkpoint is worth a try.':
    '日志中有更多信息。可以试着从最后的检查点继续。',
  'Nothing before the last checkpoint is lost: go on. If the system ended it for want of memory, make the micro-batch smaller first.':
    '最后的检查点之前没有丢失任何内容：请继续。如果系统因内存不足结束了它，请先减小微批次。',
  '"{name}" is data for stage {made}, the run is of stage {stage}.':
    '“{name}”是阶段 {made} 的数据，而训练任务是阶段 {stage}。',
  'The run "{name}" is under way.': '训练任务“{name}”正在进行。',
  'The run "{name}" is not under way.': '训练任务“{name}”没有在进行。',
  'There is no run {id}.': '没有训练任务 {id}。',
  'There is no run {id} in the trash.': '回收站中没有训练任务 {id}。',
  'The run "{name}" is under way; it cannot be {done} before it has stopped.':
    '训练任务“{name}”正在进行；停止之前不能进行此操作（{done}）。',
  '{file}: {rows} rows cannot be split so that each part has one.':
    '{file}：{rows} 行无法拆分成各有一行的两部分。',
  '{file}: no row would be left.': '{file}：不会剩下任何行。',
  '{file}: cannot be split: {reason}.': '{file}：无法拆分：{reason}。',
  'No conversation is accepted yet: look through them first.': '还没有接受任何对话：请先审阅。',
  '{folder}: is no model': '{folder}：不是模型',
  'Its Python does not start.': '它的 Python 无法启动。',
  'its Python does not start.': '它的 Python 无法启动。',
  'Its Python has no PyTorch.': '它的 Python 没有 PyTorch。',

  // What the catalogue says of what can be fetched
  "The published system: Llama 2, BLIP-2's eyes, Stable Diffusion XL with its refiner.":
    '已发布的系统：Llama 2、BLIP-2 的视觉部分、Stable Diffusion XL 及其精修模型。',
  'The published weights with SDXL Turbo in place of Stable Diffusion XL: pictures of 512 x 512 in one to four steps (set the steps in the settings).':
    '已发布的权重，用 SDXL Turbo 代替 Stable Diffusion XL：一到四步绘制 512 x 512 的图片（请在设置中调整步数）。',
  'Sees and writes; where a picture belongs its caption stands. Some 11 GB less.':
    '能看图和写字；该有图片的地方显示描述。约少 11 GB。',
  "Sees pictures: the vision encoder (EVA-CLIP ViT-g/14) and the Q-Former's keys of BLIP-2. Only these are fetched out of a checkpoint of some 49 GB.":
    '用来看图片：BLIP-2 的视觉编码器（EVA-CLIP ViT-g/14）和 Q-Former 权重。从约 49 GB 的检查点中只获取这些。',
  'Writes: the language model that the published TextBind is trained on.':
    '用来写文字：已发布的 TextBind 所基于的语言模型。',
  "Meta asks for your name and that you accept its terms on the model's page before it lets you in.":
    'Meta 要求您在模型页面上填写姓名并接受其条款，之后才允许访问。',
  'Makes the parts a whole: query tokens, Q-Former, projection and the tuned language model of the second stage.':
    '把各部分连成整体：查询 token、Q-Former、投影层和第二阶段微调的语言模型。',
  'For research, not for commercial use.': '仅供研究，不得商用。',
  'Draws, 1024 x 1024, in half precision.': '用来绘图，1024 x 1024，半精度。',
  'It lists uses that are not allowed, and asks that they are passed on.':
    '它列出了不允许的用途，并要求转告他人。',
  'The same weights in 32 bits, for training or conversion; twice the size, and no better to look at.':
    '同样的权重，32 位，用于训练或转换；大小加倍，画面并不更好。',
  "Finishes what the base has drawn, in half precision. It shares the base's text encoder and picture decoder, so those are not fetched again.":
    '精修基础模型绘制的图片，半精度。它与基础模型共用文本编码器和图像解码器，因此不会重复获取。',
  'Draws in one to four steps, 512 x 512, in half precision. Set the steps in the settings to match.':
    '一到四步绘图，512 x 512，半精度。请在设置中相应调整步数。',
  'For research and other use that is not commercial.': '供研究和其他非商业用途。',
  'A small language model to train a model of your own on; by itself it neither sees nor draws.':
    '小型语言模型，可在其上训练自己的模型；单独使用时不能看图也不能绘图。',
  'A language model of middle size to train a model of your own on; by itself it neither sees nor draws.':
    '中型语言模型，可在其上训练自己的模型；单独使用时不能看图也不能绘图。',
  "Llama 2's architecture and tokenizer at a sixth of the size, to train a model of your own on; by itself it neither sees nor draws.":
    'Llama 2 的架构和分词器，大小为六分之一，可在其上训练自己的模型；单独使用时不能看图也不能绘图。',
  'CUDA and cuDNN themselves are NVIDIA’s, are not in it, and have terms of their own.':
    'CUDA 和 cuDNN 本身属于 NVIDIA，不包含在内，另有条款。',
  'Has the engine compute on an NVIDIA GPU.': '让引擎在 NVIDIA GPU 上计算。',

  // Graphics cards
  'An NVIDIA graphics card': 'NVIDIA 显卡',
  'An AMD graphics card': 'AMD 显卡',
  'An Intel graphics processor': 'Intel 图形处理器',
  'An Apple graphics processor': 'Apple 图形处理器',
  'A Qualcomm graphics processor': 'Qualcomm 图形处理器',
};
