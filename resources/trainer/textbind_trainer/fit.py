"""What a run takes of memory, and which other settings would fit: counted from the parts' configurations, and set right
by real steps where there were some.

Counted are weights, gradients and the optimizer's states, exactly, and what is kept for the backward pass, by a formula
for Llama's layers (after Korthikanti et al. 2022, "Reducing Activation Recomputation in Large Transformer Models", with
attention that keeps no scores). The formula's error is the machine's, so one measured step corrects all other settings.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import torch

from .config import RunConfig
from .machine import free_bytes
from .precision import Precision

FOUR_BITS = 0.5625
"""Bytes a weight in NF4: half a byte, and a 4-byte scale for 64 of them."""
ADAM, ADAM_8_BIT = 8.0, 2.0
"""Bytes of two states a parameter."""
MARGIN = 0.9
"""Of what is free: a longer sample than those seen takes more."""
READING = {False: 6, True: 9}
"""Bytes a weight of the language model while it is read: fp32 and its file in halves; of our own blocks fp32 twice, and they."""
CORRECTION = (0.5, 4.0)
LORA_RANK = 16
Needs = Literal["cuda", "gpus", "bitsandbytes"]


@dataclass(frozen=True)
class Setting:
    """What decides how much memory a run takes."""

    micro_batch_size: int
    activation_checkpointing: bool = False
    lora_rank: int | None = None
    bits: int | None = None
    small_states: bool = False
    """Adam's states in eight bits."""
    offload_over: int = 1
    """Processes that share everything out, and keep it on the processor's side; 1: each holds all."""


@dataclass(frozen=True)
class Sizes:
    """Parameters of the parts, and the shape of the language model's layers (Llama's names)."""

    frozen: int
    qformer: int
    language: int
    layers: int
    hidden: int
    key_value: int
    intermediate: int
    vocabulary: int
    tied: bool
    loading: int = 0
    """Bytes that the machine holds for a moment while the parts are read, whatever is trained then."""

    @property
    def linear(self) -> int:
        """Weights of the linear layers that adapters stand beside."""
        h = self.hidden
        return self.layers * (2 * h * h + 2 * h * self.key_value + 3 * h * self.intermediate)

    def adapters(self, rank: int) -> int:
        """Trained parameters with adapters: both matrices of each, and the added rows (a head of its own is trained whole)."""
        h, kv, i = self.hidden, self.key_value, self.intermediate
        each = 2 * (h + h) + 2 * (h + kv) + 3 * (h + i)
        return self.layers * rank * each + 3 * h + (0 if self.tied else self.vocabulary * h)


def sizes_of(config: RunConfig) -> Sizes:
    """Counted on no device: nothing is loaded."""
    from transformers import AutoConfig, AutoModelForCausalLM, Blip2VisionConfig, Blip2VisionModel

    from .model import make_qformer

    shape = config.model.shape
    language: Any = AutoConfig.from_pretrained(config.model.language)
    is_quantised = getattr(language, "quantization_config", None) is not None
    if is_quantised:
        del language.quantization_config
    vision: Any = Blip2VisionConfig.from_pretrained(config.model.vision)
    with torch.device("meta"):
        count = lambda model: sum(parameter.numel() for parameter in model.parameters())
        qformer = count(make_qformer(shape, vision.hidden_size))
        frozen = count(Blip2VisionModel(vision))
        words = count(AutoModelForCausalLM.from_config(language))
    heads = language.num_attention_heads
    width = getattr(language, "head_dim", None) or language.hidden_size // heads
    qformer += shape.num_query_tokens * shape.hidden_size + (shape.hidden_size + 1) * language.hidden_size
    return Sizes(
        frozen, qformer, words, language.num_hidden_layers, language.hidden_size, language.num_key_value_heads * width,
        language.intermediate_size, language.vocab_size, bool(language.tie_word_embeddings),
        4 * (frozen + qformer) + READING[is_quantised] * words,
    )  # fmt: skip


@dataclass(frozen=True)
class Work:
    """What is computed on: a stage's samples, at most ``tokens`` long, ``scored`` of them as a share."""

    stage: int
    precision: Precision
    tokens: int
    scored: float


def trained_parameters(sizes: Sizes, setting: Setting, stage: int) -> int:
    """Parameters that learn."""
    if stage == 1:
        return sizes.qformer
    if setting.lora_rank is None:
        return sizes.qformer + sizes.language
    return sizes.qformer + sizes.adapters(setting.lora_rank)


def held_bytes(sizes: Sizes, setting: Setting, work: Work) -> float:
    """Bytes of weights, gradients and states: what is there whatever the samples are."""
    narrow = 2 if work.precision == "bf16" else 4
    trained = trained_parameters(sizes, setting, work.stage)
    whole = work.stage == 2 and setting.lora_rank is None
    language = 0.0 if whole else narrow * sizes.language
    if setting.bits == 4:
        language -= (narrow - FOUR_BITS) * sizes.linear
    states = ADAM_8_BIT if setting.small_states else ADAM
    learning = trained * (4 + 4 + states + (2 if narrow == 2 else 0))  # autocast keeps a bf16 copy of each
    if setting.offload_over > 1:
        # On the GPU there is a layer at a time, and the table of the vocabulary.
        learning = 4 * (sizes.language / sizes.layers + sizes.vocabulary * sizes.hidden)
    return narrow * sizes.frozen + language + learning


def kept_bytes(sizes: Sizes, setting: Setting, work: Work) -> float:
    """Bytes kept for the backward pass, before a measured step corrects them."""
    narrow = 2 if work.precision == "bf16" else 4
    layer = 7 * sizes.hidden + 2 * sizes.key_value + 4 * sizes.intermediate
    layers = sizes.layers * sizes.hidden + layer if setting.activation_checkpointing else sizes.layers * layer
    logits = work.scored * sizes.vocabulary * (narrow + 8)
    ends = 2 * sizes.hidden  # around the last norm
    return setting.micro_batch_size * work.tokens * (narrow * (layers + ends) + logits)


@dataclass(frozen=True)
class Measured:
    """What real steps of a setting took: the most bytes held, and seconds a step."""

    peak: int
    seconds: float


@dataclass(frozen=True)
class Machine:
    """What is there for a run. ``base``: bytes of the program itself; ``free``: None where nobody tells."""

    device: str
    base: int
    free: int | None
    gpus: int
    has_four_bits: bool


def correction(sizes: Sizes, setting: Setting, work: Work, machine: Machine, measured: Measured) -> float:
    """By what the formula for kept bytes is to be multiplied, within reason."""
    formula = kept_bytes(sizes, setting, work)
    if machine.device == "cpu" and measured.peak <= 1.2 * (machine.base + sizes.loading):
        return 1  # the most was held while the parts were read: it says nothing of the steps
    left = measured.peak - machine.base - held_bytes(sizes, setting, work)
    return min(max(left / formula, CORRECTION[0]), CORRECTION[1])


def passes(setting: Setting, stage: int) -> int:
    """Passes through the language model a step: forward, back to what lies below, back to its own weights, again forward."""
    own = stage == 2 and setting.lora_rank is None
    return 2 + own + setting.activation_checkpointing


def needs(setting: Setting, machine: Machine) -> Needs | None:
    """What a setting asks for that this machine lacks."""
    cuda = machine.device.startswith("cuda")
    if (setting.bits or setting.offload_over > 1 or setting.small_states) and not cuda:
        return "cuda"
    if setting.offload_over > 1 and machine.gpus < 2:
        return "gpus"
    return "bitsandbytes" if (setting.bits or setting.small_states) and not machine.has_four_bits else None


def alternatives(asked: Setting, stage: int, machine: Machine) -> Iterator[tuple[str, Setting]]:
    """Other settings by name, those first that change least of what is learnt."""
    yield "asked", asked
    yield "micro", asked
    recomputed = replace(asked, activation_checkpointing=True)
    if not asked.activation_checkpointing:
        yield "checkpointing", recomputed
    if stage == 1:
        return
    if asked.lora_rank is None:
        yield "lora", replace(asked, lora_rank=LORA_RANK)
        yield "loraCheckpointing", replace(recomputed, lora_rank=LORA_RANK)
    rank = asked.lora_rank or LORA_RANK
    if asked.bits is None:
        yield "qlora", replace(recomputed, lora_rank=rank, bits=4)
    if asked.lora_rank is None:
        yield "offload", replace(recomputed, offload_over=max(2, machine.gpus))


@dataclass(frozen=True)
class Estimator:
    """All that an estimate rests on."""

    sizes: Sizes
    work: Work
    machine: Machine
    asked: Setting
    measured: Measured | None

    def bytes_of(self, setting: Setting) -> int:
        """The most that a run of this setting holds."""
        if setting == self.asked and self.measured:
            return self.measured.peak
        factor = (
            correction(self.sizes, self.asked, self.work, self.machine, self.measured) if self.measured else 1
        )
        kept = kept_bytes(self.sizes, setting, self.work) * factor
        training = held_bytes(self.sizes, setting, self.work) + kept
        # On a processor what is read lies in the same memory.
        reading = self.sizes.loading if self.machine.device == "cpu" else 0
        return int(self.machine.base + max(training, reading))

    def fits(self, setting: Setting) -> bool | None:
        """Whether it does into what is free; None where nobody knows what is."""
        return None if self.machine.free is None else self.bytes_of(setting) <= MARGIN * self.machine.free

    def surely_too_large(self) -> bool:
        """Whether weights and states alone are more than is free: then it is not worth trying."""
        held = self.machine.base + held_bytes(self.sizes, self.asked, self.work)
        return self.machine.free is not None and held > self.machine.free

    def largest_batch(self, setting: Setting, name: str) -> Setting:
        """With the largest micro-batch that fits, halved from the asked one (one sample where none does)."""
        size = setting.micro_batch_size // 2 if name == "micro" else setting.micro_batch_size
        while size > 1 and self.fits(replace(setting, micro_batch_size=size)) is False:
            size //= 2
        return replace(setting, micro_batch_size=max(1, size))

    def options(self, hours: Callable[[Setting], float | None]) -> list[dict[str, Any]]:
        """The asked setting and others, each with what it takes; the fields of the ``preflight`` event's ``options``."""
        found = []
        for name, setting in alternatives(self.asked, self.work.stage, self.machine):
            if name == "micro" and self.asked.micro_batch_size == 1:
                continue
            chosen = setting if name == "asked" else self.largest_batch(setting, name)
            found.append(
                {
                    "name": name,
                    "microBatchSize": chosen.micro_batch_size,
                    "activationCheckpointing": chosen.activation_checkpointing,
                    "loraRank": chosen.lora_rank,
                    "loraBits": chosen.bits,
                    "processes": chosen.offload_over,
                    "memoryBytes": self.bytes_of(chosen),
                    "isMeasured": name == "asked" and self.measured is not None,
                    "fits": self.fits(chosen),
                    "hours": hours(chosen),
                    "needs": needs(chosen, self.machine),
                }
            )
        return found


def setting_of(config: RunConfig) -> Setting:
    """What a run file asks for."""
    lora = config.lora
    return Setting(
        config.micro_batch_size,
        config.activation_checkpointing,
        lora.rank if lora else None,
        lora.bits if lora else None,
        config.optimizer.endswith("8bit"),
    )


def own_bytes(device: torch.device) -> int:
    """What this program holds before it loads anything: of the machine's memory; of a GPU's nothing."""
    if device.type == "cuda":
        return 0
    try:
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    except OSError:
        return 0
    return pages * os.sysconf("SC_PAGE_SIZE")


def machine_of(device: torch.device) -> Machine:
    """What is there now. Free memory counts what this program holds already, as its estimates do."""
    from importlib.util import find_spec

    base, free = own_bytes(device), free_bytes(device)
    return Machine(
        str(device),
        base,
        None if free is None else free + base,
        torch.cuda.device_count(),
        find_spec("bitsandbytes") is not None,
    )
