"""Instructions of all kinds that are answered in words: how to do a thing, lists, rewriting, explaining, writing, a little code."""

from __future__ import annotations

from .held_out import TALK

_HOW_TO = (
    "make scrambled eggs|plant a tree|wrap a present|tie a tie|change a light bulb|wash a car|paint a wall|build a birdhouse|make tomato soup|"
    "clean a bicycle|sew on a button|bake a cake|brew coffee|make a fruit salad|iron a shirt|pack a suitcase|send an e-mail|grow herbs at home|"
    "set a table|make a snowman|fold a shirt|make an apple pie|train for a race|learn the piano|make a sandwich|wash my hands|start a garden|"
    "write a diary|feed a cat|make a paper boat|cook potatoes|find a lost key|give a speech|clean a kitchen|make ice cream|ride a horse"
)
_HOW_TO_FORMS = (
    "Explain step by step how to {}.",
    "How do I {}?",
    "What are the steps to {}?",
    "Give me instructions to {}.",
    "Write a short guide on how to {}.",
    "Describe how to {}.",
    "Show me how to {} in five steps.",
    "Tell me how to {}.",
)
_LISTS = (
    "vegetables|countries in Europe|musical instruments|kinds of trees|famous scientists|healthy breakfasts|things to pack for a hike|hobbies|"
    "programming languages|farm animals|sports|indoor games|birds that live in cities|rivers in Africa|planets|spices|fruits that grow on trees|"
    "tools for a garden|ways to save water|reasons to learn a language|kinds of bread|large cities|books for children|animals that can fly"
)
_LIST_FORMS = (
    "List five {}.",
    "Give me a list of {}.",
    "Name four {}.",
    "What are some {}?",
    "Can you list three {}?",
)
_REWRITE_FORMS = (
    "Make this polite: {}",
    "Correct the grammar: {}",
    "Say this in other words: {}",
    "Rewrite this as a question: {}",
    "Make this sentence longer: {}",
    "Put this into the past tense: {}",
)
_REWRITE = (
    "Give me the book.|He go to work every day.|The dog runs in the park.|I want to leave now.|She have two brother.|The train is late again.|"
    "Open the window.|We was at the market.|The soup tastes good.|You must answer my letter."
)
_EXPLAIN = (
    "how a car engine works|how the moon moves around the earth|how a letter reaches its address|how plants make food|how a piano makes sound|"
    "the water cycle|the solar system|a search engine|a database|version control|recursion|machine learning|the scientific method|"
    "supply and demand|the Roman Empire|the invention of printing|how cheese is made|how a refrigerator works|how muscles grow|what a lawyer does|"
    "why we yawn|how bees find flowers|how a clock works|what a software licence is|how sound travels"
)
_EXPLAIN_FORMS = (
    "Explain {} in detail.",
    "Explain {} to a child.",
    "Write a paragraph that explains {}.",
    "Give me a short introduction: {}.",
    "I do not know much about this: {}. Help me to understand it.",
)
_WRITE = (
    "an old fisherman|a cat that travels the world|a town without clocks|two brothers and a boat|the first snow|a teacher on her last day|"
    "a robot that wants to cook|a small bakery|a tree that remembers|a night train|a lonely dragon|a dog in the rain"
)
_WRITE_FORMS = (
    "Write a short story about {}.",
    "Write a paragraph about {}.",
    "Write a poem about {}, in words only.",
    "Begin a story about {}.",
)
_LETTERS = (
    "thanks a neighbour for help|invites a friend to dinner|asks a shop about an order|says sorry for being late|applies for a summer job|"
    "tells a landlord about a broken heater|congratulates a colleague|asks a teacher for advice"
)
_LETTER_FORMS = ("Write an e-mail that {}.", "Write a short letter that {}.")
_CODE = (
    "adds two numbers|counts the words of a text|finds the largest number of a list|reverses a string|checks whether a number is even|"
    "reads a file line by line|sorts a list of names|prints the first ten squares"
)
_CODE_FORMS = (
    "Write a Python function that {}.",
    "Write JavaScript that {}.",
    "How would you write a program that {}?",
)
_COMPARE = (
    "a river and a lake|a violin and a cello|tea and coffee|a town and a city|butter and oil|a novel and a poem|a comet and an asteroid|"
    "a bus and a tram|a crocodile and an alligator|wood and metal|a library and a package|summer and winter"
)
_COMPARE_FORMS = (
    "Compare {}.",
    "What is the difference between {}?",
    "Which do you prefer and why: {}?",
)
_OTHERS = (
    "Plan a day in London for me.|Plan a healthy week of meals.|Give me three tips for a good presentation.|What are the benefits of walking?|"
    "What are the advantages of open source software?|How does one install a package with npm?|What does a README file contain?|"
    "Summarise the story of Cinderella.|Summarise the life of a butterfly.|Give me a recipe for pancakes.|Give me a recipe with rice and beans.|"
    "Describe a sunset in words.|Describe a busy market in words.|Describe your perfect day.|Describe the taste of a lemon.|"
    "Think of a slogan for a bicycle shop.|Think of a name for a band.|What would you do with a free afternoon?|What are the rules of chess?|"
    "What are the rules of football?|How are laws made?|How does a bill become a law?|What is a variable in a program?|What is an API?|"
    "Why is testing software important?|What makes a good team?|Why should I read every day?|How do I make a budget?|What should a first aid kit contain?|"
    "Explain the difference between a list and a set.|Is it better to walk or to drive?|What can I learn from my mistakes?|How do I become a nurse?"
)  # fmt: skip


def _rotated(forms: tuple[str, ...], topics: str, each: int) -> list[str]:
    """Every topic in ``each`` of the forms, so that all forms come up."""
    rows = enumerate(topics.split("|"))
    return [
        forms[(number + step) % len(forms)].format(topic) for number, topic in rows for step in range(each)
    ]


def instructions() -> list[str]:
    """All of them, each once, in a fixed order."""
    asked = _rotated(_HOW_TO_FORMS, _HOW_TO, 2) + _rotated(_LIST_FORMS, _LISTS, 2)
    asked += _rotated(_REWRITE_FORMS, _REWRITE, 2) + _rotated(_EXPLAIN_FORMS, _EXPLAIN, 2)
    asked += _rotated(_WRITE_FORMS, _WRITE, 2) + _rotated(_LETTER_FORMS, _LETTERS, 1)
    asked += _rotated(_CODE_FORMS, _CODE, 2) + _rotated(_COMPARE_FORMS, _COMPARE, 1) + _OTHERS.split("|")
    return [question for question in dict.fromkeys(asked) if question not in TALK]
