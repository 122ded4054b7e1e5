"""General text for the lessons: what the untouched SmolLM2 itself writes after a few opening words, sampled.

Lessons about pictures move the model's idea of how any text goes on, and its perplexity with it. Sampled at temperature 1,
texts follow the base's own distribution, so that learning them pulls back to it, and they carry nobody's licence.
"""

from __future__ import annotations

import argparse
import random
import re
from pathlib import Path
from typing import Any

import torch
from textbind_trainer.events import emit
from textbind_trainer.files import write_json

from .language import load_tokenizer

TOKENS = 128
FORMS = ("Go on: {}", "Continue this text: {}", "How does this go on? {}", "Write on from here: {}", "{}")
_OPENINGS = (
    "The first time I|In this article we|The purpose of this study|When the program starts, it|There are several ways to|The history of the|"
    "According to the report|A common mistake is|The main difference between|If you want to|Before you begin, make sure|The city lies|"
    "Many people believe that|The function returns|This module provides|To use this tool|The results show that|In the early years of|"
    "She opened the door and|He had never been|On the other hand|The company announced|For more information about|One of the most important|"
    "The following example shows|It is important to note that|Scientists have found|The book tells|Once upon a time|A good teacher|"
    "The river flows|In mathematics, a|The government of|This chapter describes|You can also|Let us consider|The most common type of|"
    "As a result of|By default, the|The system consists of|During the war|The plant grows|To make the dough|The doctor said|Energy is|"
    "The user can choose|Each file contains|The price of|A new version of|Children who|The aim of the project|After the meeting|"
    "The term is used|An error occurs when|Every morning|The author argues that|At the end of the day|In the United States|The method takes|"
    "We are looking for|Thank you for your|The weather in|Our team|To install the package"
)


def openings() -> list[str]:
    """All of them, in a fixed order."""
    return _OPENINGS.split("|")


def tidy(text: str) -> str:
    """Up to the last whole sentence; empty where too little is left, or signs stand in it that a prompt gives a meaning."""
    whole = re.match(r"(?s).*[.!?](?=\s|$)", text)
    found = whole[0].strip() if whole else ""
    return "" if len(found.split()) < 20 or re.search(r"[<\[]", found) else found


@torch.no_grad()
def sampled(model: Any, tokenizer: Any, begun: list[str]) -> list[str]:
    """How each goes on, without the opening."""
    prompts = [f"{tokenizer.bos_token}{opening}" for opening in begun]
    inputs = tokenizer(prompts, return_tensors="pt", padding=True, add_special_tokens=False)
    output = model.generate(
        **inputs, max_new_tokens=TOKENS, do_sample=True, temperature=1.0, top_k=0, top_p=1.0
    )
    new = output[:, inputs.input_ids.shape[1] :]
    return [tidy(str(tokenizer.decode(ids, skip_special_tokens=True))) for ids in new]


def rows_of(begun: list[str], texts: list[str], random_: random.Random) -> list[dict[str, str]]:
    """As small_talk.py's rows; without those texts that nothing is left of."""
    asked = [random_.choice(FORMS).format(opening) for opening in begun]
    rows = zip(asked, texts, strict=True)
    return [{"question": question, "answer": text, "kind": "text"} for question, text in rows if text]


def main(argv: list[str] | None = None) -> None:
    """Command: write the texts as JSON."""
    from transformers import AutoModelForCausalLM

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--language", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--each", type=int, default=8, help="texts of an opening")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--threads", type=int, default=1)
    arguments = parser.parse_args(argv)
    torch.set_num_threads(arguments.threads)
    torch.manual_seed(arguments.seed)
    random_ = random.Random(arguments.seed)
    tokenizer: Any = load_tokenizer(arguments.language, padding_side="left")
    model: Any = AutoModelForCausalLM.from_pretrained(arguments.language, dtype=torch.bfloat16)
    rows: list[dict[str, str]] = []
    for number in range(arguments.each):
        rows += rows_of(openings(), sampled(model, tokenizer, openings()), random_)
        write_json(arguments.out, rows)
        emit("progress", step="going-on", done=number + 1, of=arguments.each, kept=len(rows))
    emit("finished", step="going-on", texts=len(rows))


if __name__ == "__main__":
    main()
