"""Stories of a few sentences with one picture where it belongs, and requests for them."""

from __future__ import annotations

import random

from .album import Wish
from .seen import SEEN

REQUESTS = (
    "Tell me a story with a picture about {a}.", "Tell me a picture story about {a}.", "Write a short story about {a} and draw a picture for it.",
    "Make up a story about {a}, with a picture.", "A bedtime story with a picture of {a}, please.", "Write an illustrated story about {a}.",
    "Tell a little story about {a} and show me a picture.", "I would like a story with a drawing of {a}.",
)  # fmt: skip
_BEGIN = {
    "animal": ("Once there was {a} who wanted to see the world.", "In a quiet place there lived {a} with a big heart.", "One morning {a} woke up and felt very brave."),
    "plant": ("Once there was {a} that grew in a small garden.", "Behind an old house there grew {a}."),
    "food": ("Once there was {a} that nobody wanted to eat.", "On a long table there stood {a}, all alone."),
    "vehicle": ("Once there was {a} that dreamed of a long journey.", "In a small town there was {a} that everybody knew."),
    "other": ("Once there was {a} that nobody had looked at for years.", "In an old house, in a dusty corner, there was {a}."),
}  # fmt: skip
_MIDDLE = (
    "One day a child came by, stopped and smiled.", "Then the rain came, and after the rain the sun.", "Many days went by, and then something happened.",
    "A bird sat down beside it and sang a song.", "Nobody knew what would happen next.",
)  # fmt: skip
_END = (
    "From that day on, the {n} was never alone again.", "And so the {n} found a friend.", "In the evening everybody was happy, most of all the {n}.",
    "And if you listen well, you can still hear about the {n} today.",
)  # fmt: skip


def picture_story(random_: random.Random, wish: Wish) -> tuple[str, str]:
    """(request, story); ``{i}`` stands where the picture is."""
    name = wish.names[0]
    kind = SEEN[name][1] if SEEN[name][1] in _BEGIN else "other"
    begin = random_.choice(_BEGIN[kind]).format(a=wish.words[0])
    parts = [f"{begin} {{i}}", random_.choice(_MIDDLE), random_.choice(_END).format(n=name)]
    return random_.choice(REQUESTS).format(a=wish.words[0]), " ".join(parts)
