"""Training by the trainer, and by a plain loop that follows the reference: answers each request line with seconds.

Started as ``training_peer.py THREADS SCALE``; says ``{"ready": ..., "about": [...]}``, then for each line
``{"stage": 1 | 2, "first": "ours" | "plain", "precision": "fp32" | "bf16"}`` trains the same rows by both in that order
and precision (bf16: autocast, weights stay in fp32), from the same weights.

The models are random, in the paper's proportions at a fraction of the size: the vision encoder sees 257 places a picture
and has about a sixth of the language model's parameters. The plain loop does as the reference's collator and model do:
rows in the order drawn, padded to the longest of a micro-batch; a dense mask for every row; the vision encoder run anew
for every picture; logits of the whole vocabulary at every place.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import random
import sys
import tarfile
import tempfile
import time
from pathlib import Path
from typing import Any

import torch
from PIL import Image
from torch.nn import functional

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "resources" / "trainer"))
from textbind_trainer import loop, stage1, stage2
from textbind_trainer.batch import IGNORED, Example, attention_mask
from textbind_trainer.config import parse_config
from textbind_trainer.data import Sample
from textbind_trainer.precision import choose_precision

STAGES = {1: stage1, 2: stage2}
ROWS, BATCH, MICRO = {1: 64, 2: 12}, {1: 64, 2: 12}, {1: 16, 2: 4}
PASSES = {1: 2, 2: 3}
"""Epochs of the paper: the first computes a picture's features, the others find them."""
WORDS = "a an the red blue small old wooden table cat dog street light over under near with two people walking in".split()  # noqa: SIM905


ANSWERS = os.fdopen(os.dup(1), "w", encoding="utf-8")
os.dup2(2, 1)  # libraries print progress of their own (tokenizers: empty lines), past Python's sys.stdout


def say(message: dict) -> None:
    """Write one line to the parent."""
    print(json.dumps(message), file=ANSWERS, flush=True)


def picture(random_: random.Random) -> bytes:
    """A photograph's size, of noise in blocks: JPEG decoding costs what it costs."""
    small = Image.frombytes("RGB", (20, 15), random_.randbytes(900))
    buffer = io.BytesIO()
    small.resize((500, 375), Image.Resampling.BICUBIC).save(buffer, "JPEG")
    return buffer.getvalue()


def text(random_: random.Random, least: int, most: int) -> str:
    """Words; short ones are many and long ones few, as captions and answers are."""
    count = min(most, least + int(random_.expovariate(3 / (most - least))))
    return " ".join(random_.choice(WORDS) for _ in range(count))


def write_data(root: Path) -> None:
    """pairs.tar and talk.json with its pictures."""
    random_ = random.Random(1)
    with tarfile.open(root / "pairs.tar", "w") as archive:
        for number in range(ROWS[1]):
            for ending, data in (("jpg", picture(random_)), ("txt", text(random_, 5, 40).encode())):
                member = tarfile.TarInfo(f"{number:05d}.{ending}")
                member.size = len(data)
                archive.addfile(member, io.BytesIO(data))
    rows: list[dict[str, Any]] = []
    (root / "images").mkdir()
    for number in range(ROWS[2]):
        turns: list[dict[str, Any]] = []
        for turn in range(random_.randint(1, 4)):
            name, drawn = f"{number}-{turn}.jpg", random_.random() < 0.3
            (root / "images" / name).write_bytes(picture(random_))
            said = text(random_, 10, 120)
            user = {"role": "user", "content": text(random_, 5, 40), "image_list": [], "caption_list": []}
            answer = {"role": "assistant", "content": said, "image_list": [], "caption_list": []}
            shown = answer if drawn else user
            shown["content"], shown["image_list"] = f"<image> {shown['content']}", [name]
            answer["caption_list"] = [text(random_, 5, 20)] if drawn else []
            turns += [user, answer]
        rows.append({"conversation": turns})
    (root / "talk.json").write_text(json.dumps(rows))


def write_tokenizer(folder: Path) -> int:
    """Byte pairs, and a token a word: the head is then about as small a part of the model as the paper's. Its length."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    added, alphabet = ["<image>", "<start>", "<end>"], pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(
        vocab_size=500, special_tokens=["<unk>", "<s>", "</s>"], initial_alphabet=alphabet
    )
    tokenizer.train_from_iterator([" ".join(["", *WORDS])] * 4, trainer)
    tokenizer.add_special_tokens(added)
    tokenizer.save(str(folder / "tokenizer.json"))
    names = {"bos_token": "<s>", "eos_token": "</s>", "unk_token": "<unk>", "pad_token": "</s>"}
    fields = {"tokenizer_class": "PreTrainedTokenizerFast", "additional_special_tokens": added} | names
    (folder / "tokenizer_config.json").write_text(json.dumps(fields))
    return tokenizer.get_vocab_size()


def write_models(root: Path, scale: int) -> list[str]:
    """vision/ and language/ with random weights; what they are, in words."""
    from transformers import Blip2VisionConfig, Blip2VisionModel, LlamaConfig, LlamaForCausalLM

    torch.manual_seed(0)
    (root / "language").mkdir()
    rows = write_tokenizer(root / "language")
    language = LlamaForCausalLM(
        LlamaConfig(
            vocab_size=rows, hidden_size=16 * scale, intermediate_size=43 * scale, num_hidden_layers=8,
            num_attention_heads=scale // 2, num_key_value_heads=scale // 2, max_position_embeddings=2048,
            tie_word_embeddings=True,
        )
    )  # fmt: skip
    vision = Blip2VisionModel(
        Blip2VisionConfig(
            hidden_size=8 * scale, intermediate_size=35 * scale, num_hidden_layers=5, num_attention_heads=scale // 4,
            image_size=224, patch_size=14, initializer_range=0.02,
        )
    )  # fmt: skip
    language.save_pretrained(root / "language")
    vision.save_pretrained(root / "vision")
    processor = {
        "size": {"height": 224, "width": 224},
        "image_mean": [0.48, 0.46, 0.41],
        "image_std": [0.27, 0.26, 0.28],
    }
    (root / "vision" / "preprocessor_config.json").write_text(json.dumps(processor))
    count = lambda model, but="nothing": (
        sum(p.numel() for n, p in model.named_parameters() if but not in n) / 1e6
    )
    return [
        f"random weights: vision encoder {count(vision):.1f} M, language model {count(language, 'embed'):.1f} M and "  # noqa: ISC004
        f"{rows} embeddings",
        f"stage 1: {ROWS[1]} pairs, batch {BATCH[1]} in {MICRO[1]}s; stage 2: {ROWS[2]} conversations, batch {BATCH[2]} in {MICRO[2]}s",
    ]


def run_of(root: Path, stage: int, precision: str, cache: Path | None) -> loop.Run:
    """A run of the trainer from the weights as they lie there."""
    data = {1: {"tars": "pairs.tar"}, 2: {"conversations": "talk.json", "images": "images"}}[stage]
    shape = {
        "numQueryTokens": 32,
        "numHiddenLayers": 4,
        "numAttentionHeads": 4,
        "hiddenSize": 128,
        "intermediateSize": 512,
    }
    fields = {
        "model": {"visionModel": "vision", "processor": "vision", "languageModel": "language", "qformerConfig": shape},
        "data": data, "output": "out", "steps": ROWS[stage] // BATCH[stage] * PASSES[stage], "warmupSteps": 0,
        "batchSize": BATCH[stage], "microBatchSize": MICRO[stage], "precision": precision, "seed": 5,
    } | ({"featureCache": str(cache)} if cache else {})  # fmt: skip
    torch.manual_seed(5)
    return STAGES[stage].build(parse_config(fields, root, stage), torch.device("cpu"))


def padded(examples: list[Example], pad: int) -> tuple[torch.Tensor, ...]:
    """ids, labels, positions [rows, longest] and the dense mask [rows, longest, longest]."""
    longest = max(len(example.ids) for example in examples)
    row = lambda values, fill: torch.tensor([*values, *[fill] * (longest - len(values))])
    ids = torch.stack([row(example.ids, pad) for example in examples])
    labels = torch.stack([row(example.labels, IGNORED) for example in examples])
    positions = torch.stack([row(example.positions, 0) for example in examples])
    mask = torch.eye(longest, dtype=torch.bool).repeat(len(examples), 1, 1)
    for number, example in enumerate(examples):
        size = len(example.ids)
        mask[number, :size, :size] = attention_mask(example)
    return ids, labels, positions, mask


def plain_loss(run: loop.Run, samples: list[Sample]) -> torch.Tensor:
    """Summed cross entropy of a micro-batch, as the reference's collator and model have it."""
    model = run.model
    ids, labels, positions, mask = padded([sample.example for sample in samples], run.pad_id)
    pictures = [pixels for sample in samples for pixels in sample.pixels]
    embeddings = model.language_model.get_input_embeddings()(ids)
    if pictures:
        seen = model.embed_features(model.image_features(torch.stack(pictures)))
        embeddings = embeddings.masked_scatter(
            (ids == run.image_id).unsqueeze(-1), seen.flatten(0, 1).to(embeddings.dtype)
        )
    additive = torch.zeros(mask.shape).masked_fill(~mask, torch.finfo(torch.float32).min).unsqueeze(1)
    logits = model.language_model(
        inputs_embeds=embeddings, attention_mask=additive, position_ids=positions, use_cache=False
    ).logits
    return functional.cross_entropy(
        logits[:, :-1].flatten(0, 1).float(), labels[:, 1:].flatten(), ignore_index=IGNORED, reduction="sum"
    )


def plain_step(run: loop.Run) -> float:
    """One step of the plain loop; the mean loss."""
    positions = range(run.position, run.position + run.config.batch_size)
    samples = [sample for position in positions if (sample := run.source.sample(position)) is not None]
    scored = sum(sample.example.scored for sample in samples)
    run.optimizer.zero_grad(set_to_none=True)
    total = 0.0
    for start in range(0, len(samples), run.config.micro_batch_size):
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=run.precision == "bf16"):
            loss = plain_loss(run, samples[start : start + run.config.micro_batch_size])
        (loss / scored).backward()
        total += loss.item()
    torch.nn.utils.clip_grad_norm_(run.parameters.values(), run.config.clip)
    for group in run.optimizer.param_groups:
        group["lr"] = group["peak"] * loop.schedule(run.step, run.config.warmup_steps, run.total)
    run.optimizer.step()
    run.position += run.config.batch_size
    run.step += 1
    return total / scored


def passes(run: loop.Run, step: Any) -> dict[str, Any]:
    """Seconds by pass over the rows, on the clock and of the processor, and the losses."""
    seconds, processor, losses = [], [], []
    for _ in range(PASSES[run.config.stage]):
        clock, own = time.perf_counter(), time.process_time()
        losses += [step(run) for _ in range(ROWS[run.config.stage] // run.config.batch_size)]
        seconds.append(time.perf_counter() - clock)
        processor.append(time.process_time() - own)
    if run.loader is not None:
        run.loader.close()
    return {"seconds": seconds, "processorSeconds": processor, "losses": losses}


def main() -> None:
    """Make models and data, then answer until standard input ends."""
    threads, scale = int(sys.argv[1]), int(sys.argv[2])
    torch.set_num_threads(threads)
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        about = write_models(root, scale)
        write_data(root)
        chosen = choose_precision("auto", torch.device("cpu"))
        say({"ready": f"PyTorch {torch.__version__}", "about": about, "rows": ROWS, "chosen": chosen})
        for line in sys.stdin:
            request = json.loads(line)
            stage, precision, found = request["stage"], request["precision"], {}
            for side in ("ours", "plain") if request["first"] == "ours" else ("plain", "ours"):
                cache = Path(tempfile.mkdtemp(dir=root)) if side == "ours" else None
                ours = lambda run: loop.train_step(run)[0]
                # The trainer's own events are not for our parent.
                with contextlib.redirect_stdout(sys.stderr):
                    found[side] = passes(run_of(root, stage, precision, cache), ours if side == "ours" else plain_step)
            say(found)


if __name__ == "__main__":
    main()
