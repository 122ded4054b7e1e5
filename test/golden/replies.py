"""Whole replies of tiny random systems, by a direct loop in PyTorch over transformers' own networks.

Called as ``python replies.py OUT_DIR KIND SEED COUNT TRAINER TOKENIZER``. KIND: ``byte-level`` or ``sentencepiece``;
TRAINER: the folder of textbind_trainer, whose prompt and tokenizer are used; TOKENIZER: a SentencePiece folder. Writes
``vision/``, ``language/``, ``qformer.safetensors``, pictures, and ``replies.json``: conversations with the reply's
text, captions and count of tokens.

The loop has no cache: each token is the largest logit of the whole sequence read anew. A caption's tokens are forgotten
when its picture is there, and the picture's embeddings stand in their place. A picture is one colour, which follows from
its caption, so that any program can draw it. Conversations in which two logits are nearly alike are left out: there
rounding would decide.
"""

from __future__ import annotations

import hashlib
import json
import random
import shutil
import sys
from pathlib import Path
from typing import Any

import torch
from golden import randomise
from PIL import Image
from safetensors.torch import save_file
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers
from transformers import (
    Blip2QFormerConfig,
    Blip2QFormerModel,
    Blip2VisionConfig,
    Blip2VisionModel,
    LlamaConfig,
    LlamaForCausalLM,
)

OUT, KIND, SEED, COUNT, TRAINER, TOKENIZER = sys.argv[1:7]
sys.path.insert(0, TRAINER)

from textbind_trainer.images import ImageProcessor  # noqa: E402
from textbind_trainer.prompt import Pair, encode_conversation  # noqa: E402
from textbind_trainer.tokenizer import END, IMAGE, START, LanguageTokenizer, load_tokenizer  # noqa: E402

QUERIES, SIDE, MOST_PICTURES, MOST_CAPTION = 3, 28, 4, 96
MOST_TOKENS, CLEAR = 80, 1e-3
SPECIAL = ["<unk>", "<s>", "</s>", IMAGE, START, END]
WORDS = "what is this red house and a dog with two cats on the moon please draw it again".split()


def write_bytes_tokenizer(folder: Path) -> None:
    """One token a byte."""
    vocabulary = {
        token: index for index, token in enumerate([*SPECIAL, *sorted(pre_tokenizers.ByteLevel.alphabet())])
    }
    tokenizer = Tokenizer(models.BPE(vocab=vocabulary, merges=[]))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens([AddedToken(name, normalized=False) for name in SPECIAL])
    tokenizer.save(str(folder / "tokenizer.json"))
    config = {"bos_token": "<s>", "eos_token": "</s>", "unk_token": "<unk>"}
    (folder / "tokenizer_config.json").write_text(json.dumps(config), encoding="utf8")


class System:
    """Random networks, and the loop."""

    def __init__(self, out: Path) -> None:
        sizes = {"hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 2, "num_attention_heads": 2}
        (out / "language").mkdir()
        if KIND == "byte-level":
            write_bytes_tokenizer(out / "language")
        else:
            shutil.copy(Path(TOKENIZER) / "tokenizer.model", out / "language")
            config = {"bos_token": "<s>", "eos_token": "</s>"}
            (out / "language" / "tokenizer_config.json").write_text(json.dumps(config), encoding="utf8")
        self.tokenizer: LanguageTokenizer = load_tokenizer(out / "language")
        self.vision = Blip2VisionModel(Blip2VisionConfig(image_size=SIDE, patch_size=14, **sizes))
        self.qformer = Blip2QFormerModel(
            Blip2QFormerConfig(encoder_hidden_size=32, cross_attention_frequency=2, **sizes)
        )
        self.language = LlamaForCausalLM(
            LlamaConfig(
                vocab_size=len(self.tokenizer), hidden_size=64, intermediate_size=96, num_hidden_layers=2,
                num_attention_heads=4, num_key_value_heads=2, max_position_embeddings=1024,
                tie_word_embeddings=False, bos_token_id=1, eos_token_id=2,
            )
        )  # fmt: skip
        for network in (self.vision, self.qformer, self.language):
            randomise(network)
            network.eval()
        self.queries, self.projection = torch.randn(1, QUERIES, 32), torch.nn.Linear(32, 64)
        self.weigh_tokens()
        self.write(out)
        self.processor = ImageProcessor.load(out / "vision")

    def weigh_tokens(self) -> None:
        """Pictures and ends come often, and only what is text in every encoding is said."""
        head = self.language.lm_head.weight
        special = self.tokenizer.special_ids
        for token in range(len(head)):
            text = self.tokenizer.decode([token])
            if token not in special.values() and not (text.isascii() and text.isprintable() and text):
                head[token] = 0
        # The more pieces there are to say, the more it takes to be the largest of all.
        rarer = 1.0 if KIND == "byte-level" else 1.3
        for name, weight in (
            (START, 2.5),
            (END, 2.5),
            ("</s>", 1.6),
            (IMAGE, 1.5),
            ("<unk>", 0.0),
            ("<s>", 1.2),
        ):
            head[special[name]] *= weight * rarer

    def write(self, out: Path) -> None:
        """In the layouts that textbind.json names."""
        self.vision.save_pretrained(out / "vision")
        self.language.save_pretrained(out / "language")
        processor = {
            "size": {"height": SIDE, "width": SIDE},
            "image_mean": [0.5] * 3,
            "image_std": [0.25] * 3,
        }
        processor |= {
            "do_resize": True,
            "do_rescale": True,
            "do_normalize": True,
            "rescale_factor": 1 / 255,
            "resample": 3,
        }
        (out / "vision" / "preprocessor_config.json").write_text(json.dumps(processor), encoding="utf8")
        tensors = {f"qformer.{name}": tensor for name, tensor in self.qformer.state_dict().items()}
        tensors |= {
            f"qformer_projection.{name}": tensor for name, tensor in self.projection.state_dict().items()
        }
        tensors["query_tokens"] = self.queries
        save_file(
            {name: tensor.contiguous() for name, tensor in tensors.items()}, str(out / "qformer.safetensors")
        )

    def look(self, image: Image.Image) -> torch.Tensor:
        """[queries, hidden]"""
        seen = self.vision(pixel_values=self.processor.pixels(image)[None]).last_hidden_state
        states = self.qformer(query_embeds=self.queries, encoder_hidden_states=seen).last_hidden_state
        return self.projection(states)[0]

    def embed(self, ids: list[int], pictures: list[Image.Image]) -> torch.Tensor:
        """[length, hidden], pictures in their places."""
        rows = self.language.get_input_embeddings()(torch.tensor(ids)).clone()
        places = [place for place, token in enumerate(ids) if token == self.tokenizer.special_ids[IMAGE]]
        for picture, first in zip(pictures, places[::QUERIES], strict=True):
            rows[first : first + QUERIES] = self.look(picture)
        return rows

    def reply(self, pairs: list[Pair], pictures: list[Image.Image]) -> dict[str, Any] | None:
        """Text, captions and count of tokens; None where it does not end by itself or rounding could decide."""
        special = self.tokenizer.special_ids
        start, end, image = special[START], special[END], special[IMAGE]
        ends = {special["</s>"], special["<s>"]}
        ids = [
            token for segment in encode_conversation(self.tokenizer, pairs, QUERIES) for token in segment.ids
        ]
        rows = self.embed(ids, pictures)
        text, captions, said, before, caption = "", [], [], rows, None
        count, banned = 0, set()
        while count < MOST_TOKENS:
            logits = self.language(inputs_embeds=rows[None]).logits[0, -1]
            logits[list(banned)] = -torch.inf
            first, second = logits.topk(2).values.tolist()
            token, count = int(logits.argmax()), count + 1
            if first - second < CLEAR * max(1.0, abs(first)):
                return None
            finished = caption is not None and (token == end or token in ends or len(caption) == MOST_CAPTION)
            if caption is None and token in ends:
                text += self.tokenizer.decode(said)
                return {"text": text, "captions": captions, "tokens": count}
            if caption is None and (
                token in (end, image) or (token == start and len(captions) == MOST_PICTURES)
            ):
                banned |= {end, image, token}
            elif caption is None and token == start:
                before, caption, banned = rows, [], set()
                rows = torch.cat([rows, self.embed([token], [])])
            elif caption is not None and token in (start, image):
                banned |= {start, image}
            elif finished:
                words, caption = self.tokenizer.decode(caption).strip(), None
                banned, rows = set(), before
                if words == "":
                    banned = {end, image, start}
                else:
                    text += self.tokenizer.decode(said) + IMAGE
                    said, captions = [], [*captions, words]
                    rows = torch.cat([rows, self.look(drawing(words))])
            else:
                (said if caption is None else caption).append(token)
                rows, banned = torch.cat([rows, self.embed([token], [])]), set()
        return None


def drawing(caption: str) -> Image.Image:
    """A picture of one colour, which follows from the caption."""
    red, green, blue = hashlib.sha256(caption.encode()).digest()[:3]
    return Image.new("RGB", (SIDE, SIDE), (red, green, blue))


def conversation(
    choose: random.Random, out: Path, number: int
) -> tuple[list[Pair], list[Image.Image], list[Any]]:
    """Pairs, pictures, and turns as the engine takes them."""
    pictures: list[Image.Image] = []
    turns: list[Any] = []
    texts: list[str] = []
    for turn in range(choose.choice((1, 1, 3, 5))):
        parts: list[Any] = []
        for part in range(choose.randint(1, 3)):
            if choose.random() < 0.4:
                name = f"{number}-{turn}-{part}.png"
                pixels = bytes(choose.randrange(256) for _ in range(SIDE * SIDE * 3))
                picture = Image.frombytes("RGB", (SIDE, SIDE), pixels)
                picture.save(out / name)
                pictures.append(picture)
                parts.append({"kind": "picture", "path": name, "caption": "a thing" if turn % 2 else None})
            else:
                words = choose.choices(WORDS, k=choose.randint(1, 6))
                parts.append({"kind": "text", "text": " ".join(words) + choose.choice("?!. ")})
        texts.append("".join(part.get("text", IMAGE) for part in parts))
        turns.append({"role": "assistant" if turn % 2 else "user", "parts": parts})
    answers = [*texts[1::2], None]
    return [Pair(user, answer) for user, answer in zip(texts[::2], answers, strict=True)], pictures, turns


@torch.no_grad()
def main() -> None:
    """Write the system and its replies."""
    out = Path(OUT)
    torch.set_num_threads(1)
    torch.manual_seed(int(SEED))
    system, choose = System(out), random.Random(f"{KIND} {SEED}")
    cases: list[Any] = []
    for number in range(40 * int(COUNT)):
        pairs, pictures, turns = conversation(choose, out, number)
        found = system.reply(pairs, pictures)
        # Replies of a single token say little; most are to draw.
        wanted = found is not None and found["tokens"] > 2 and (found["captions"] or len(cases) % 4 == 3)
        if wanted:
            cases.append({"turns": turns, "expected": found})
        if len(cases) == int(COUNT):
            break
    (out / "replies.json").write_text(json.dumps({"queries": QUERIES, "cases": cases}), encoding="utf8")


if __name__ == "__main__":
    main()
