"""The objects that the composed pictures show: name, picture file and kind.

Names are those an ordinary person would say (one or two words). Each code is the
file stem in npm @lobehub/fluent-emoji-3d@1.1.0; its label in emojibase-data@17.0.0
was the starting point and is replaced where it is stilted ("automobile" -> "car").
No two entries look alike: of near twins (tiger and tiger face, mouse and rat) one is kept.
"""

from __future__ import annotations

_BY_KIND = {
    "animal": (
        "monkey 1f412, gorilla 1f98d, dog 1f415, wolf 1f43a, fox 1f98a, raccoon 1f99d, cat 1f408, "
        "lion 1f981, tiger 1f405, horse 1f40e, unicorn 1f984, zebra 1f993, deer 1f98c, cow 1f404, "
        "pig 1f416, sheep 1f411, camel 1f42a, llama 1f999, giraffe 1f992, elephant 1f418, "
        "rhinoceros 1f98f, mouse 1f401, rabbit 1f407, hedgehog 1f994, bat 1f987, bear 1f43b, "
        "koala 1f428, panda 1f43c, kangaroo 1f998, rooster 1f413, penguin 1f427, duck 1f986, "
        "owl 1f989, flamingo 1f9a9, peacock 1f99a, parrot 1f99c, frog 1f438, crocodile 1f40a, "
        "turtle 1f422, snake 1f40d, whale 1f433, dolphin 1f42c, tropical fish 1f420, shark 1f988, "
        "octopus 1f419, crab 1f980, snail 1f40c, butterfly 1f98b, ant 1f41c, bee 1f41d, "
        "ladybug 1f41e, spider 1f577-fe0f, scorpion 1f982"
    ),
    "plant": (
        "rose 1f339, sunflower 1f33b, tulip 1f337, cactus 1f335, palm tree 1f334, "
        "maple leaf 1f341, mushroom 1f344, pine tree 1f332"
    ),
    "food": (
        "watermelon 1f349, orange 1f34a, lemon 1f34b, banana 1f34c, pineapple 1f34d, apple 1f34e, "
        "pear 1f350, strawberry 1f353, avocado 1f951, eggplant 1f346, carrot 1f955, onion 1f9c5, "
        "croissant 1f950, pretzel 1f968, hamburger 1f354, pizza 1f355, hot dog 1f32d, taco 1f32e, "
        "fried egg 1f373, doughnut 1f369, cookie 1f36a, birthday cake 1f382, cupcake 1f9c1, "
        "lollipop 1f36d, ice cream 1f368, teapot 1fad6, wine glass 1f377"
    ),
    "vehicle": (
        "bus 1f68c, ambulance 1f691, fire truck 1f692, taxi 1f695, car 1f697, tractor 1f69c, "
        "motorcycle 1f3cd-fe0f, bicycle 1f6b2, skateboard 1f6f9, sailboat 26f5, airplane 2708-fe0f, "
        "helicopter 1f681, rocket 1f680"
    ),
    "thing": (
        "volcano 1f30b, house 1f3e0, castle 1f3f0, tent 26fa, alarm clock 23f0, moon 1f319, sun 2600-fe0f, "
        "star 2b50, rainbow 1f308, umbrella 2602-fe0f, snowman 26c4, balloon 1f388, gift 1f381, "
        "trophy 1f3c6, soccer ball 26bd, basketball 1f3c0, teddy bear 1f9f8, guitar 1f3b8, "
        "trumpet 1f3ba, drum 1f941, crown 1f451, top hat 1f3a9, backpack 1f392, telephone 260e-fe0f, "
        "laptop 1f4bb, television 1f4fa, camera 1f4f7, candle 1f56f-fe0f, light bulb 1f4a1, "
        "key 1f511, hammer 1f528, magnet 1f9f2, microscope 1f52c, chair 1fa91"
    ),
}


def _table() -> dict[str, tuple[str, str]]:
    rows: dict[str, tuple[str, str]] = {}
    for kind, text in _BY_KIND.items():
        for entry in text.split(", "):
            name, code = entry.rsplit(" ", 1)
            rows[name] = (code, kind)
    return rows


OBJECTS: dict[str, tuple[str, str]] = _table()
"""name -> (file stem of the picture, kind); the order is the class order of the vision losses."""

NAMES: tuple[str, ...] = tuple(OBJECTS)
