"""Short turns without pictures, answered by the untouched SmolLM2 itself.

Stage 2 would otherwise teach the model that the world consists of pictures; these answers (its own, in
its own words) keep its way of talking. Greedy decoding in batches, so the file is the same each time.
Questions are answered in a sentence or three, instructions (instructions.py) at some length.
"""

from __future__ import annotations

import argparse
import re
from pathlib import Path
from typing import Any

import torch
from textbind_trainer.events import emit
from textbind_trainer.files import write_json

from .held_out import TALK
from .instructions import instructions
from .language import load_tokenizer
from .seen import PLURAL, called
from .world import DRAWN_NAMES

SYSTEM = "You are a helpful assistant. Answer in two or three short sentences."
MAX_TOKENS = 64
LONG_SYSTEM = "You are a helpful assistant. Be brief: at most five short steps, items or sentences."
LONG_MAX_TOKENS = 128

_THINGS = (
    "rain, a volcano, gravity, the moon, a comet, a desert, an island, photosynthesis, a poem, an atom, a robot, "
    "electricity, a river, a glacier, an earthquake, a museum, a calendar, a compass, a telescope, oxygen, "
    "a vitamin, a recipe, democracy, an orchestra, chess, origami, jazz, a fossil, a galaxy, a hurricane, "
    "a planet, a rainbow, a shadow, a language, mathematics, history, biology, chemistry, a library, honey, "
    "bread, coffee, tea, chocolate, cheese, salt, sugar, rice, a computer, the internet, a battery, a magnet, "
    "a bridge, a wheel, glass, paper, wood, iron, gold, a diamond, friendship, courage, patience, music, "
    "a holiday, a birthday, winter, summer, spring, autumn, sleep, a dream, exercise, yoga, swimming, football, tennis"
)
_CAPITALS = (
    "France, Germany, Italy, Spain, Japan, China, India, Egypt, Greece, Norway, Sweden, Russia, Canada, Mexico, "
    "Portugal, Austria, Poland, Ireland, England, Brazil, Kenya, Australia, Turkey, Thailand"
)
_OTHERS = (
    "Why is the sky blue?|Why do leaves fall in autumn?|How do birds fly?|How do fish breathe?|Why do we sleep?|"
    "How many days are in a year?|How many hours are in a day?|How many legs does a spider have?|"
    "How many continents are there?|What is two plus two?|What is five times three?|What is ten minus four?|"
    "What colour is the sky?|What colour is grass?|What colour is snow?|What do cows eat?|What do bees make?|"
    "Where do penguins live?|Where do camels live?|What is the largest animal?|What is the fastest land animal?|"
    "What is the tallest mountain?|What is the largest ocean?|What is the largest planet?|Who wrote Hamlet?|"
    "Who painted the Mona Lisa?|Who was Albert Einstein?|Who was Isaac Newton?|Who was Cleopatra?|"
    "What language do people speak in Brazil?|What should I cook for dinner?|What should I have for breakfast?|"
    "Can you recommend a good book?|What is a good hobby?|How can I sleep better?|How can I learn a language?|"
    "How do I stay healthy?|How can I save money?|How do I boil an egg?|How do I make tea?|How can I be happy?|"
    "Give me a name for a cat.|Give me a name for a dog.|Tell me a fun fact.|Tell me a fun fact about cats.|"
    "Tell me a fun fact about dogs.|Tell me a fun fact about elephants.|Tell me something about space.|"
    "Tell me something about the sea.|What is a synonym for happy?|What is the opposite of hot?|"
    "What is the opposite of big?|What comes after Monday?|What month comes after March?|"
    "Write a short sentence about the sea.|Write a short sentence about a dog.|Write one line about spring.|"
    "I am feeling tired today.|I had a great day!|I am bored.|I am a little sad.|I am learning to paint.|"
    "I love animals.|My favourite colour is blue.|I am going on holiday tomorrow.|It is raining here.|"
    "Do you like music?|What makes a good friend?|What is your favourite animal?|What is the best season?|"
    "Is the earth round?|Is a whale a fish?|Is a tomato a fruit?|Can penguins fly?|Are spiders insects?|"
    "What do plants need to grow?|What is water made of?|At what temperature does water boil?|What is the sun?|"
    "How far away is the moon?|What is the speed of light?|When did the second world war end?|What is money?"
)
_ABOUT = (
    "cats",
    "dogs",
    "lions",
    "bears",
    "owls",
    "frogs",
    "sharks",
    "whales",
    "bees",
    "ants",
    "tigers",
    "pandas",
)
_ABOUT_FORMS = ("What do {} eat?", "Where do {} live?", "How long do {} live?", "Tell me about {}.")
_EXPLAIN = (
    "how a rainbow forms|how a plane stays in the air|how the heart works|how bread is made|how paper is made|what money is for|"
    "why we have seasons|why the sea is salty|why ice floats|how a bicycle stays upright|how vaccines work|how a camera works|"
    "how honey is made|how a computer remembers things|what a black hole is|what inflation is|why we dream|how tides work|"
    "how a seed becomes a tree|how glass is made|what the brain does|how a microscope works|why volcanoes erupt|"
    "what climate change is|how batteries work|how birds find their way|what an algorithm is|how wind is made|what DNA is"
)
_EXPLAIN_FORMS = ("Explain {}.", "Can you explain {}?", "In simple words, {}?", "I want to understand {}.")
_ADVICE = (
    "sleep better|learn to cook|save money|make new friends|write a good letter|prepare for an exam|stay calm|get up early|"
    "grow tomatoes|look after a cat|train a dog|keep a room tidy|learn to swim|eat healthier|read more books|be a better listener|"
    "plan a birthday party|choose a present for a friend|pack for a trip|start running|clean a window|remember names"
)
_ADVICE_FORMS = (
    "How can I {}?",
    "Do you have a tip on how to {}?",
    "I want to {}. What should I do?",
    "Help me to {}.",
)
_WRITE = (
    "the sea|autumn|my grandmother|a train journey|the moon|friendship|a small village|snow|a garden|coffee|an old clock|a brave mouse|"
    "a lost key|music|the first day of school|a lighthouse|a rainy Sunday|the desert"
)
_WRITE_FORMS = (
    "Write two sentences about {}.",
    "Write a short poem about {}.",
    "Tell me a short story about {}.",
    "Give me a thought about {}.",
)
_WHO = (
    "Mozart|Marie Curie|Leonardo da Vinci|Shakespeare|Galileo|Beethoven|Nelson Mandela|Charles Darwin|Ada Lovelace|Aristotle|"
    "Gandhi|Vincent van Gogh|Jane Austen|Napoleon|Socrates|Florence Nightingale|Columbus|Neil Armstrong"
)
_MORE = (
    "What is the difference between a frog and a toad?|What is the difference between weather and climate?|Which is bigger, the sun or the earth?|"
    "What is heavier, iron or wood?|Are cats or dogs better pets?|What can I do on a rainy day?|What makes people laugh?|How do I write an apology?|"
    "What is 12 times 3?|What is 20 divided by 4?|What is 7 plus 8?|How many minutes are in an hour?|How many grams are in a kilogram?|"
    "Translate 'good morning' into French.|How do you say thank you in Spanish?|What does 'serendipity' mean?|What does 'ancient' mean?|"
    "Name three fruits.|Name three colours.|Name a country in Africa.|Name an instrument with strings.|Name an animal that lives in the sea.|"
    "List two things made of wood.|What rhymes with cat?|What rhymes with blue?|Give me a riddle.|Give me a quote about hope.|"
    "What is art?|What is science?|What is philosophy?|What is a verb?|What is a noun?|Correct this: she go to school.|"
    "What should I wear when it is cold?|What should I drink when it is hot?|What is a healthy snack?|What goes well with rice?|"
    "How do I make pancakes?|How do I make a paper plane?|How do I boil rice?|How do I make lemonade?|How do I fix a flat tyre?|"
    "What do you think about the weather?|What is your opinion of books?|Why do people travel?|Why do we need water?|Why are plants green?|"
    "I feel nervous about tomorrow.|I have an exam next week.|My friend is angry with me.|I cannot sleep.|I lost my keys.|I got a new job!|"
    "I am hungry.|I am reading a good book.|My cat is ill.|I want to learn the guitar.|I moved to a new city.|It is my birthday today.|"
    "What is a good name for a boat?|What is a good name for a rabbit?|What is a good name for a cafe?|Where should I go on holiday?|"
    "What is the meaning of life?|What is happiness?|What is time?|What is a friend?|What is the internet good for?|Who invented the telephone?|"
    "Who discovered America?|When was the first moon landing?|What is the longest river?|What is the smallest country?|What is the coldest place on earth?"
)


def questions() -> list[str]:
    """All the questions, each once, in a fixed order."""
    asked = [f"What is {thing}?" for thing in _THINGS.split(", ")]
    asked += [f"What is the capital of {country}?" for country in _CAPITALS.split(", ")]
    asked += _OTHERS.split("|")
    asked += [form.format(animals) for animals in _ABOUT for form in _ABOUT_FORMS]
    for forms, topics in ((_EXPLAIN_FORMS, _EXPLAIN), (_ADVICE_FORMS, _ADVICE), (_WRITE_FORMS, _WRITE)):
        asked += [form.format(topic) for topic in topics.split("|") for form in forms]
    asked += [f"Who was {person}?" for person in _WHO.split("|")] + _MORE.split("|")
    asked += [f"What is {called(name)}?" for name in DRAWN_NAMES if name not in PLURAL]
    return [question for question in dict.fromkeys(asked) if question not in TALK]


def usable(answer: str) -> bool:
    """Short, finished and about the question: an answer that was cut, lists, or speaks of itself is dropped."""
    if not 2 <= len(answer.split()) <= 70 or not re.search(r"[.!?]$", answer):
        return False
    return not re.search(_UNWANTED + r"|the answer|this question|specific|\n|\[|<|\*", answer, re.IGNORECASE)


_UNWANTED = r"smollm|hugging|assistant|sorry|language model|as an ai|picture|image|draw|photo"


def repetitive(text: str) -> bool:
    """Greedy decoding of a small model runs in circles: the same item or sentence again, or few words over and over."""
    items = [re.sub(r"^\s*(?:\d+\.|-)\s*", "", part) for part in re.split(r"(?<=[.!?])\s+|\n", text)]
    items = [item for item in items if item.strip() and item not in "{}();"]
    if re.search(r"\d\.\s+\d+\.", text):
        return True
    words = re.findall(r"[a-z']+", text.lower())
    return (
        len(set(items)) < len(items)
        or len(words) < 3
        or len(set(words)) < (0.55 if len(words) > 40 else 0.45) * len(words)
    )


def trimmed(answer: str) -> str:
    """A long answer up to its last whole sentence or line; empty where it repeats itself or speaks of pictures."""
    whole = re.match(r"(?s).*(?:[.!?](?=\s|$)|```$)", answer)
    text = re.sub(r"\n{2,}", "\n", whole[0] if whole else "").replace("**", "").strip()
    text = re.sub(r"(?:\n|\s)\d+\.$", "", text)  # the number of an item that was cut
    if len(text.split()) < 4 or repetitive(text) or re.search(r"\[|<|" + _UNWANTED, text, re.IGNORECASE):
        return ""
    return text


def answers(model: Any, tokenizer: Any, system: str, asked: list[str], tokens: int) -> list[tuple[str, bool]]:
    """Of each question the greedy answer in the model's own ChatML prompt, and whether it came to an end."""
    prompts = [
        f"<|im_start|>system\n{system}<|im_end|>\n<|im_start|>user\n{question}<|im_end|>\n<|im_start|>assistant\n"
        for question in asked
    ]
    inputs = tokenizer(prompts, return_tensors="pt", padding=True, add_special_tokens=False)
    output = model.generate(**inputs, max_new_tokens=tokens, do_sample=False)[:, inputs.input_ids.shape[1] :]
    return [
        (str(tokenizer.decode(ids, skip_special_tokens=True)).strip(), tokenizer.eos_token_id in ids.tolist())
        for ids in output
    ]


def generate(language_model: Path, out: Path, every: int = 1, batch: int = 64) -> list[dict[str, Any]]:
    """Question and answer pairs, in ``out`` after each batch; ``kind`` is "long" for answers to instructions, else "short"."""
    from transformers import AutoModelForCausalLM

    tokenizer: Any = load_tokenizer(language_model, padding_side="left")
    model: Any = AutoModelForCausalLM.from_pretrained(language_model, dtype=torch.bfloat16)
    rows: list[dict[str, Any]] = []
    kinds = (
        (LONG_SYSTEM, LONG_MAX_TOKENS, instructions()[:: max(1, every // 2)]),
        (SYSTEM, MAX_TOKENS, questions()[::every]),
    )
    for system, tokens, asked in kinds:
        long = tokens == LONG_MAX_TOKENS
        for start in range(0, len(asked), batch):
            group = asked[start : start + batch]
            for question, (answer, ended) in zip(
                group, answers(model, tokenizer, system, group, tokens), strict=True
            ):
                kept = trimmed(answer) if long else answer if ended and usable(answer) else ""
                if kept:
                    rows.append({"question": question, "answer": kept, "kind": "long" if long else "short"})
            write_json(out, rows)
            emit(
                "progress",
                step="small-talk",
                long=long,
                done=start + len(group),
                of=len(asked),
                kept=len(rows),
            )
    return rows


def main(argv: list[str] | None = None) -> None:
    """Command: write the pairs as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--language", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument(
        "--every",
        type=int,
        default=1,
        help="4: every fourth question and every second instruction, for less time",
    )
    parser.add_argument("--threads", type=int, default=1)
    arguments = parser.parse_args(argv)
    torch.set_num_threads(arguments.threads)
    rows = generate(arguments.language, arguments.out, arguments.every)
    emit("finished", step="small-talk", pairs=len(rows))


if __name__ == "__main__":
    main()
