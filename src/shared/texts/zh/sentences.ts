import { zhOfModels as ofModels } from './sentences-of-models.ts';

/** Sentences of main, the library and the engine, by their English. A value in braces may be a sentence itself. */
export const zh: Readonly<Record<string, string>> = {
  ...ofModels,
  // Conversations
  'A reply cannot be edited.': '回复不能编辑。',
  'A reply cannot be shortened.': '回复不能缩短。',
  'Only a reply can be written anew.': '只有回复可以重新生成。',
  'This reply is {status}; there is nothing to go on with.':
    '此回复的状态为 {status}；没有可以继续的内容。',
  'Part {index} of this turn is not a drawing.': '这一轮的第 {index} 部分不是绘图。',
  'Only a reply can be rated.': '只有回复可以评价。',
  'The app is closing.': '应用正在关闭。',
  'A reply is being written in this conversation.': '此对话中正在写回复。',
  'A reply is being written.': '正在写回复。',
  'There is no conversation {id}.': '没有对话 {id}。',
  'There is no turn {id}.': '没有轮次 {id}。',
  'This reply is being written.': '正在写此回复。',
  'Another comparison is being answered. Stop it first.': '另一次比较正在回答。请先停止它。',
  'Choose two different models to compare.': '请选择两个不同的模型来比较。',
  'That comparison is gone.': '该比较已不存在。',
  'It is judged already.': '已经评判过了。',
  'Both models must have answered before one is better.': '两个模型都回答之后才能评判。',
  'There was not enough memory for both, so the model of the chat was closed meanwhile.':
    '内存不足以容纳两个模型，因此暂时关闭了对话模型。',
  'It was stopped.': '已停止。',
  'it was stopped.': '已停止。',
  'Choose a reply: its message is asked again.': '请选择一条回复：会再次询问它的消息。',
  'Its message is deleted.': '它的消息已删除。',
  'There is nothing to send.': '没有可发送的内容。',
  'There is no picture {id}.': '没有图片 {id}。',
  'There is no drawing {index} at part {part}.': '第 {part} 部分没有第 {index} 张绘图。',
  'This is the only version of the reply. Delete the message that it answers, or write it anew first.':
    '这是此回复的唯一版本。请删除它所回答的消息，或先重新生成。',
  'This is the only drawing at its place.': '这是此处唯一的绘图。',
  'What was deleted is no longer there.': '删除的内容已不存在。',
  'The reply ended before this picture was drawn.': '回复在绘制此图片之前结束。',
  'Stopped before the picture was drawn.': '在绘制图片之前停止。',
  'The model ended a picture that it had not begun; that was left out.':
    '模型结束了一张未开始的图片；已略去。',
  'The model wanted more than {most} picture in one reply; the rest was left out.':
    '模型想在一条回复中画 {most} 张以上的图片；其余已略去。',
  'The model wanted more than {most} pictures in one reply; the rest was left out.':
    '模型想在一条回复中画 {most} 张以上的图片；其余已略去。',
  'The model began a picture without saying what it shows.':
    '模型开始了一张图片，但没有说明画什么。',
  'The description of a picture did not end; it was cut.': '图片的描述没有结束；已截断。',
  'The conversation is longer than the model can read; the first {dropped} was left out.':
    '对话超过了模型能读的长度；略去了最前面的 {dropped}。',
  'The conversation is longer than the model can read; the first {dropped} were left out.':
    '对话超过了模型能读的长度；略去了最前面的 {dropped}。',
  '{count} message': '{count} 条消息',
  '{count} messages': '{count} 条消息',
  '{count} message without a reply': '{count} 条没有回复的消息',
  '{count} messages without a reply': '{count} 条没有回复的消息',
  '{count} exchange': '{count} 轮',
  '{count} exchanges': '{count} 轮',
  'The conversation is longer than the model can read; the first {one} and {other} were left out.':
    '对话超过了模型能读的长度；略去了最前面的 {one}和 {other}。',
  'This message is too long for the model: it takes {positions} tokens, and the model has room for {room}.':
    '此消息对模型来说太长：它占 {positions} 个 token，而模型只能容纳 {room} 个。',
  'This reply cannot go on: with its question it takes {positions} tokens, and the model has room for {room}.':
    '此回复无法继续：连同问题占 {positions} 个 token，而模型只能容纳 {room} 个。',
  'This message has more pictures than the model can read at once. Take some of them out.':
    '此消息的图片超过了模型一次能读的数量。请去掉一些。',
  'A picture of this conversation cannot be read; the model does not see it.':
    '此对话中有一张图片无法读取；模型看不到它。',
  '{count} pictures of this conversation cannot be read; the model does not see them.':
    '此对话中有 {count} 张图片无法读取；模型看不到它们。',
  'This turn is damaged: it can be read, but not changed.': '这一轮已损坏：可以阅读，但不能更改。',
  'This turn is damaged in the database. What could not be read: {lost}.':
    '这一轮在数据库中已损坏。无法读取的内容：{lost}。',
  '[A part of this turn could not be read: the database is damaged here.]':
    '[这一轮的一部分无法读取：数据库在此处损坏。]',
  '[A part of this turn could not be read: the database was damaged.]':
    '[这一轮的一部分无法读取：数据库曾损坏。]',

  // The database and the data folder
  'The data folder {folder} is on a file system that can only be read. Make it writable, or start with another folder (--user-data-dir=DIR). Nothing was changed.':
    '数据文件夹 {folder} 位于只读的文件系统上。请使其可写，或用另一个文件夹启动（--user-data-dir=DIR）。没有更改任何内容。',
  'You may not write into the data folder {folder}. Give yourself leave (its owner and permissions), or start with another folder (--user-data-dir=DIR). Nothing was changed.':
    '您无权写入数据文件夹 {folder}。请授予自己权限（所有者和权限），或用另一个文件夹启动（--user-data-dir=DIR）。没有更改任何内容。',
  'There is no room left where the data folder {folder} is. Make room, or start with another folder (--user-data-dir=DIR). Nothing was changed.':
    '数据文件夹 {folder} 所在的磁盘没有空间。请腾出空间，或用另一个文件夹启动（--user-data-dir=DIR）。没有更改任何内容。',
  'The data folder {folder} is not a folder. Move what is there, or start with another folder (--user-data-dir=DIR). Nothing was changed.':
    '数据文件夹 {folder} 不是文件夹。请移走那里的内容，或用另一个文件夹启动（--user-data-dir=DIR）。没有更改任何内容。',
  'The data folder {folder} cannot be used ({reason}). Mend that, or start with another folder (--user-data-dir=DIR). Nothing was changed.':
    '无法使用数据文件夹 {folder}（{reason}）。请修复，或用另一个文件夹启动（--user-data-dir=DIR）。没有更改任何内容。',
  'The copy {file} is damaged or gone. Take another.': '备份 {file} 已损坏或不存在。请用另一份。',
  'The copy {file} is gone.': '备份 {file} 已不存在。',
  'The database is damaged: a copy of it failed its check.': '数据库已损坏：它的备份未通过检查。',
  'The database {file} could not be opened: {reason}. Copies made before updates are in {folder}.':
    '无法打开数据库 {file}：{reason}。更新前的备份在 {folder}。',
  'The database {file} belongs to another program.': '数据库 {file} 属于另一个程序。',
  'The database {file} was written by a newer TextBind Studio (form {version}; this one knows up to {newest}). Nothing was changed. Install the newer version, or start with another data folder (--user-data-dir=DIR).':
    '数据库 {file} 由更新版本的 TextBind Studio 写成（格式 {version}；此版本最高支持 {newest}）。没有更改任何内容。请安装更新的版本，或用另一个数据文件夹启动（--user-data-dir=DIR）。',
  '{file} is gone: its folder was deleted, moved or replaced while the app was open. Put it back where it was and start the app again.':
    '{file} 已不存在：应用打开期间，它的文件夹被删除、移动或替换。请放回原处，然后重新启动应用。',
  'The database {file} could not be brought from form {from} to {version} ({name}): {reason}. It stays at form {from2}.':
    '无法把数据库 {file} 从格式 {from} 升级到 {version}（{name}）：{reason}。它保持在格式 {from2}。',
  'The database is damaged at the place that was asked for.': '数据库在所需的位置损坏。',
  'The file is no database, or its beginning is damaged.': '该文件不是数据库，或开头已损坏。',
  'The disk is full. Make room, and try again.': '磁盘已满。请腾出空间后重试。',
  'Another program holds the database locked. Close it, and try again.':
    '另一个程序锁定了数据库。请关闭它后重试。',
  'The data folder may not be written to, or not be read. Look at its permissions.':
    '数据文件夹不可写或不可读。请检查其权限。',
  'The disk did not read or write what it was asked to.': '磁盘没有完成读写。',
  'The database of your conversations is missing': '找不到您的对话数据库',
  'The database of your conversations is empty': '您的对话数据库是空的',
  'Something else stands in the place of the database': '数据库的位置上是别的内容',
  'The data folder cannot be used': '无法使用数据文件夹',
  'The database of your conversations is damaged': '您的对话数据库已损坏',
  'The database belongs to another program': '数据库属于另一个程序',
  'These conversations were written by a newer TextBind Studio':
    '这些对话由更新版本的 TextBind Studio 写成',
  'Another program is using the database': '另一个程序正在使用数据库',
  'The disk is full': '磁盘已满',
  'The disk does not answer as it should': '磁盘没有正常响应',
  'The conversations could not be opened': '无法打开对话',
  '{turns} turn in {conversations} conversation can be read.':
    '可以读取 {conversations} 个对话中的 {turns} 轮。',
  '{turns} turns in {conversations} conversation can be read.':
    '可以读取 {conversations} 个对话中的 {turns} 轮。',
  '{turns} turns in {conversations} conversations can be read.':
    '可以读取 {conversations} 个对话中的 {turns} 轮。',
  'Nothing of ours can be read in it.': '其中没有可以读取的内容。',
  'There is no copy of it.': '没有它的备份。',
  '{database} is not there, but pictures or copies are beside it. It was deleted or moved; nothing was changed since.':
    '{database} 不在那里，但旁边有图片或备份。它被删除或移走了；此后没有更改任何内容。',
  '{database} has no content, but pictures or copies are beside it. Nothing was changed.':
    '{database} 没有内容，但旁边有图片或备份。没有更改任何内容。',
  '{database} is a folder or a device, not a file.': '{database} 是文件夹或设备，不是文件。',
  'Parts of {database} cannot be read. A disk, a crash of the system or another program may have done it. Nothing was changed.':
    '{database} 的一部分无法读取。可能是磁盘、系统崩溃或其他程序造成的。没有更改任何内容。',
  '{database} was written by another program. Nothing was changed.':
    '{database} 由另一个程序写成。没有更改任何内容。',
  '{sentence} The file is {database}.': '{sentence}文件是 {database}。',
  'The database is damaged.': '数据库已损坏。',
  'A new, empty database was made.': '已建立新的空数据库。',
  'A new, empty database was made. What was there is kept as {aside}.':
    '已建立新的空数据库。原有内容保留为 {aside}。',
  'The copy of {date} was restored.': '已恢复 {date} 的备份。',
  'The copy of {date} was restored. What was there is kept as {aside}.':
    '已恢复 {date} 的备份。原有内容保留为 {aside}。',
  'What could be read of the database was saved.': '数据库中可以读取的内容已保存。',
  'What could be read of the database was saved. What was there is kept as {aside}.':
    '数据库中可以读取的内容已保存。原有内容保留为 {aside}。',
  'The search index was damaged and has been made anew. Nothing is lost.':
    '搜索索引曾损坏，已重新建立。没有丢失任何内容。',
  'The database was damaged and has been mended. Nothing is lost.':
    '数据库曾损坏，已修复。没有丢失任何内容。',
  'The disk takes writing again: everything is stored.': '磁盘恢复写入：一切都已保存。',
  '{reason} The reply is kept in memory and is stored as soon as that is possible.':
    '{reason}回复保留在内存中，一旦可能就会保存。',

  // Pictures
  'This list of pictures is old.': '此图片列表已过期。',
  'This picture is no longer in any conversation.': '此图片已不在任何对话中。',
  '{name} has {size} MB; the most is {most} MB.': '{name} 大小为 {size} MB；最大 {most} MB。',
  '{name} is not a picture that can be read here. PNG, JPEG, WebP, GIF and AVIF can.':
    '{name} 不是可以在此读取的图片。支持 PNG、JPEG、WebP、GIF 和 AVIF。',
  'The file of “{name}” could not be read.': '无法读取“{name}”的文件。',
  '{hash} names no picture.': '{hash} 不对应任何图片。',
  'Picture {hash} has other bytes than its name says.': '图片 {hash} 的内容与其名称不符。',
  'The picture could not be stored. {reason}': '无法保存图片。{reason}',
  '{name} cannot be made small here.': '无法在此缩小 {name}。',
  '{name} cannot be used as a picture: {why}.': '{name} 不能用作图片：{why}。',
  'decoding it takes longer than {seconds} s': '解码超过 {seconds} 秒',
  'decoding it takes too much memory': '解码占用内存过多',
  'the decoder crashed on it': '解码器因它崩溃',
  '{file} could not be written: {reason}': '无法写入 {file}：{reason}',

  '{name} has {width} x {height} pixels; a side has at most {side}.':
    '{name} 有 {width} x {height} 像素；每边最多 {side}。',
  '{name} has {width} x {height} pixels; the most is {million} million.':
    '{name} 有 {width} x {height} 像素；最多 {million} 百万。',
  '{name} has {width} x {height} pixels; the most in an AVIF file is {million} million.':
    '{name} 有 {width} x {height} 像素；AVIF 文件最多 {million} 百万。',

  // Out and in
  'The archive was not written.': '没有写出归档。',
  'The export was stopped.': '导出已停止。',
  'Conversation {id} is not whole.': '对话 {id} 不完整。',
  'There is no conversation to export.': '没有可导出的对话。',
  'No message was answered: there is no pair of turns to write.':
    '没有得到回答的消息：没有可写出的轮次。',
  'Only the app itself can write PDF files.': '只有应用本身可以写出 PDF 文件。',
  'Nothing was taken: there is no row to write.': '没有取用任何内容：没有可写出的行。',
  'The import was stopped after {done} of {total}.':
    '导入在第 {done} 个（共 {total} 个）之后停止。',
  'Picture {hash} is not the picture that is described.': '图片 {hash} 与描述不符。',
  'The pictures need {needed} MB; {place} has {free} MB left. Make room first.':
    '图片需要 {needed} MB；{place} 还剩 {free} MB。请先腾出空间。',
  'That file is not open any more. Choose it again.': '该文件已不再打开。请重新选择。',
  'Another export or import is running. Wait for it, or stop it.':
    '另一次导出或导入正在进行。请等待，或停止它。',
  '{file} is not taken: {why}.': '不接受 {file}：{why}。',
  'it has no manifest.json': '其中没有 manifest.json',
  'it cannot be read as a zip file ({reason})': '无法作为 zip 文件读取（{reason}）',
  'it was written by a newer TextBind Studio (archive version {version}; this one knows {known})':
    '由更新版本的 TextBind Studio 写成（归档版本 {version}；此版本支持 {known}）',
  'it holds no conversation in the TextBind schema': '其中没有 TextBind 格式的对话',
  'it is not JSON ({reason})': '不是 JSON（{reason}）',
  'it is not JSON': '不是 JSON',
  'it cannot be read': '无法读取',
  'There is no conversation {id} in the trash.': '回收站中没有对话 {id}。',
  Conversations: '对话',
  Picture: '图片',
  'Web page': '网页',
  Archive: '归档',

  // The app
  '{text} is not a link.': '{text} 不是链接。',
  'Only http and https links are opened, not {protocol}':
    '只能打开 http 和 https 链接，不能打开 {protocol}',
  'A request came from elsewhere than the window.': '请求不是来自窗口。',
  'There is no request {name}.': '没有请求 {name}。',
  'The reply to {name} is not what was agreed.': '对 {name} 的回应不符合约定。',
  "The {what} from the app's main process could not be read.":
    '无法读取应用主进程的内容（{what}）。',
  'Something was read that is not in the form it should have.': '读取到的内容格式不正确。',
  '{file} was not saved from this window.': '{file} 不是从此窗口保存的。',
  'A link asked TextBind Studio for something that it does not know. Nothing was done.':
    '有链接要求 TextBind Studio 做它不认识的事。没有执行任何操作。',
  'A link asked for a conversation that is not on this machine.':
    '有链接请求的对话不在这台电脑上。',

  // Updates
  'The downloaded update is not the file that was signed. It was deleted; nothing was installed.':
    '下载的更新不是已签名的文件。已删除；没有安装任何内容。',
  'What the update server says does not carry our signature. Nothing was downloaded.':
    '更新服务器的内容没有我们的签名。没有下载任何内容。',
  'The update server offers a package for {platform} {arch} ({kind}), not for {ours}.':
    '更新服务器提供的是 {platform} {arch}（{kind}）的安装包，而不是 {ours} 的。',
  'This is a checkout: git pull brings the newest.': '这是源代码检出：git pull 可取得最新版本。',
  'This build was made without an update server.': '此版本没有配置更新服务器。',
  'This copy was unpacked by hand, so it cannot be updated by itself. Unpack a newer one in its place.':
    '此副本是手动解压的，因此无法自行更新。请在原处解压更新的版本。',
  'Look for a version first.': '请先检查版本。',
  'Download the update first.': '请先下载更新。',
  '{busy} Install the update after it.': '{busy}请在其结束后安装更新。',
  'An update is being worked on already.': '正在处理更新。',
  'The update server could not be reached, or the connection broke ({reason}). What was downloaded is kept: try again.':
    '无法连接更新服务器，或连接中断（{reason}）。已下载的内容会保留：请重试。',
  'Nothing was looked for.': '没有检查过。',
  'The downloaded update is not there any more. Look again.': '下载的更新已不存在。请再次检查。',
  'You did not give leave.': '您没有授权。',
  'There is no pkexec here.': '这里没有 pkexec。',
  'The system refused it.': '系统拒绝了。',
  "The update was not installed. {why} By hand: sudo dpkg --install '{file}'":
    "没有安装更新。{why}手动安装：sudo dpkg --install '{file}'",

  // The doctor
  'The engine is stopped: {reason}': '引擎已停止：{reason}',
  'Start it again. If it stops once more, choose another model.':
    '请重新启动。如果再次停止，请选择另一个模型。',
  'Install the app again: a part of it is missing.': '请重新安装应用：缺少一部分。',
  '{provider} is chosen and cannot be used: {reason}': '选择了 {provider}，但无法使用：{reason}',
  'Let the engine choose for itself.': '请由引擎自行选择。',
  'The GPU is used, by {provider}.': '正在通过 {provider} 使用 GPU。',
  'No GPU found; using the processor.': '没有找到 GPU；正在使用处理器。',
  '{card} is there and not used: the processor is chosen.': '有 {card}，但没有使用：选择了处理器。',
  '{card} is there and not used. {reasons}': '有 {card}，但没有使用。{reasons}',
  'Install its current driver and start the app again.': '请安装它的最新驱动，然后重新启动应用。',
  'the processor': '处理器',
  'This processor has no AVX2: models run several times slower than on newer ones.':
    '此处理器没有 AVX2：模型的运行速度比在较新的处理器上慢数倍。',
  'Choose a small model.': '请选择小模型。',
  'The processor has {sets}.': '处理器支持 {sets}。',
  'There is no model.': '没有模型。',
  'Add one.': '请添加一个。',
  '{name} cannot be used: {verdict}': '无法使用 {name}：{verdict}',
  'Add it again, or remove it.': '请重新添加，或移除它。',
  'See whether the drive with its files is there; else add it again, or remove it.':
    '请查看存放其文件的磁盘是否已连接；否则请重新添加，或移除它。',
  'Import it with quantised weights, or choose a smaller one.':
    '请以量化权重导入，或选择较小的模型。',
  '{name} needs {needed} of memory, and {free} are free now.':
    '{name} 需要 {needed} 内存，现在空闲 {free}。',
  'Close other programs.': '请关闭其他程序。',
  '{free} are free on the disk of {what}.': '{what}所在磁盘空闲 {free}。',
  'conversations and models': '对话和模型',
  'the app': '应用',
  'Free some: a model takes several gigabytes, and what is written needs room.':
    '请腾出空间：一个模型需要数 GB，写入的内容也需要空间。',
  'Something stopped unexpectedly {times} in the last seven days; the last was: {what}':
    '最近七天有意外停止（{times}）；最近一次：{what}',
  once: '一次',
  twice: '两次',
  '{count} times': '{count} 次',
  'The logs say more.': '日志中有更多信息。',
  'Python and PyTorch are ready for training.': 'Python 和 PyTorch 已可用于训练。',
  'Training is not set up.': '尚未设置训练。',
  'Set it up where you train.': '请在训练页面设置。',
  'Training does not work: {reason}': '训练无法工作：{reason}',
  'Set it up anew.': '请重新设置。',
  'all arithmetic': '所有运算',
  training: '训练',
  'quantised weights': '量化权重',
  'reading long prompts, drawing': '读入长提示词、绘图',
  'The graphics driver here computes on the processor.': '这里的显卡驱动在处理器上运算。',
  'No GPU with a Vulkan, Metal or Direct3D driver was found.':
    '没有找到带 Vulkan、Metal 或 Direct3D 驱动的 GPU。',
  'It does not work: {detail}': '无法工作：{detail}',
  'No NVIDIA GPU was found.': '没有找到 NVIDIA GPU。',
  'There is an NVIDIA GPU, but not installed: {library}.': '有 NVIDIA GPU，但没有安装 {library}。',
  'There is an NVIDIA GPU, but the CUDA libraries of the engine are not installed.':
    '有 NVIDIA GPU，但没有安装引擎所需的 CUDA 库。',
  'There is an NVIDIA GPU, but the library that the engine needs for CUDA was not fetched.':
    '有 NVIDIA GPU，但没有获取引擎使用 CUDA 所需的库。',
  'There is an NVIDIA GPU, but its driver is not installed.': '有 NVIDIA GPU，但没有安装它的驱动。',
  'Get the library for CUDA, or install its current driver and start the app again.':
    '请获取 CUDA 所需的库，或安装它的最新驱动并重新启动应用。',
  'There is an NVIDIA GPU, but CUDA does not work: {detail}':
    '有 NVIDIA GPU，但 CUDA 无法工作：{detail}',
  'All networks run on the NVIDIA GPU, in half precision': '所有网络都在 NVIDIA GPU 上以半精度运行',
  'All networks run on the GPU through WebGPU, in single precision':
    '所有网络都通过 WebGPU 在 GPU 上以单精度运行',
  'All networks run on the processor, in single precision; quantised weights stay quantised':
    '所有网络都在处理器上以单精度运行；量化权重保持量化',
  '{choice} ({passed} cannot be used here)': '{choice}（{passed} 无法在此使用）',
  'fits into memory (on the processor: words {talking}{pictures})':
    '内存可以容纳（在处理器上：文字 {talking}{pictures}）',
  'does not fit into memory (on the processor: words {talking}{pictures})':
    '内存无法容纳（在处理器上：文字 {talking}{pictures}）',
  ', pictures {sparing} to {kept}': '，图片 {sparing} 至 {kept}',
  ', pictures {sparing}': '，图片 {sparing}',
  'half precision': '半精度',
  'single precision': '单精度',
  'single precision; quantised weights stay so': '单精度；量化权重保持量化',
  'Not even with its language model in 4 bits and without drawing.':
    '即使语言模型用 4 位并且不绘图，也放不下。',
  'Not even with its language model in 4 bits and without drawing. {models} would fit.':
    '即使语言模型用 4 位并且不绘图，也放不下。{models} 可以容纳。',
  '{change} it would take {bytes} for words. Add it again, {how}.':
    '{change}，文字需要 {bytes}。请重新添加，{how}。',
  '{change} it would take {bytes} for words and {pictures} for pictures. Add it again, {how}.':
    '{change}，文字需要 {bytes}，图片需要 {pictures}。请重新添加，{how}。',
  'With its language model in {bits} bits': '语言模型用 {bits} 位时',
  'With its language model in {bits} bits and without the refiner':
    '语言模型用 {bits} 位且不用精修模型时',
  'With its language model in {bits} bits and without drawing': '语言模型用 {bits} 位且不绘图时',
  'Without the refiner': '不用精修模型时',
  'Without drawing': '不绘图时',
  'copied in {bits} bits': '以 {bits} 位复制',
  'copied in {bits} bits and leaving out the refiner': '以 {bits} 位复制，并去掉精修模型',
  'copied in {bits} bits and leaving out the part that draws': '以 {bits} 位复制，并去掉绘图部分',
  'leaving out the refiner': '去掉精修模型',
  'leaving out the part that draws': '去掉绘图部分',
  'Import it with 4-bit weights, or take a smaller one of the same kind.':
    '请以 4 位权重导入，或选用同类中较小的模型。',
  'could not be tried: {reason}': '无法尝试：{reason}',
};
