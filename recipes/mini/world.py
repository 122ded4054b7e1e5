"""The objects of the embedded model's world that it draws: name, picture file, other words for it."""

from __future__ import annotations

from .objects import OBJECTS

_MORE = (
    "poodle 1f429, moose 1face, hippopotamus 1f99b, polar bear 1f43b-200d-2744-fe0f, sloth 1f9a5, chick 1f425, "
    "eagle 1f985, swan 1f9a2, dove 1f54a-fe0f, lizard 1f98e, dragon 1f409, dinosaur 1f996, seal 1f9ad, "
    "jellyfish 1fabc, lobster 1f99e, squid 1f991, caterpillar 1f41b, "
    "tree 1f333, clover 1f340, cherry blossom 1f338, potted plant 1fab4, "
    "grapes 1f347, peach 1f351, cherries 1f352, tomato 1f345, coconut 1f965, corn 1f33d, chili pepper 1f336-fe0f, "
    "broccoli 1f966, bread 1f35e, cheese 1f9c0, chicken leg 1f357, french fries 1f35f, sandwich 1f96a, "
    "popcorn 1f37f, pie 1f967, cup of coffee 2615, glass of milk 1f95b, kiwi 1f95d, "
    "train 1f682, police car 1f693, truck 1f69a, racing car 1f3ce-fe0f, ship 1f6a2, flying saucer 1f6f8, "
    "traffic light 1f6a6, anchor 2693, "
    "globe 1f30d, mountain 1f3d4-fe0f, bell 1f514, hourglass 231b, watch 231a, planet 1fa90, cloud 2601-fe0f, "
    "snowflake 2744-fe0f, fire 1f525, glasses 1f453, necktie 1f454, t-shirt 1f455, jeans 1f456, dress 1f457, "
    "sneaker 1f45f, baseball cap 1f9e2, ring 1f48d, diamond 1f48e, microphone 1f3a4, headphones 1f3a7, "
    "saxophone 1f3b7, violin 1f3bb, magnifying glass 1f50d, book 1f4d5, envelope 2709-fe0f, box 1f4e6, "
    "mailbox 1f4eb, pencil 270f-fe0f, scissors 2702-fe0f, padlock 1f512, axe 1fa93, bomb 1f4a3, shield 1f6e1-fe0f, "
    "wrench 1f527, gear 2699-fe0f, ladder 1fa9c, door 1f6aa, bed 1f6cf-fe0f, bathtub 1f6c1, bucket 1faa3"
)

DRAWN: dict[str, str] = {name: code for name, (code, _) in OBJECTS.items()} | dict(
    entry.rsplit(" ", 1) for entry in _MORE.split(", ")
)
"""name -> file stem of the picture."""

DRAWN_NAMES: tuple[str, ...] = tuple(DRAWN)

SYNONYMS: dict[str, tuple[str, ...]] = {
    "dog": ("puppy", "hound"), "cat": ("kitten", "kitty"), "rabbit": ("bunny", "hare"), "pig": ("piglet",),
    "sheep": ("lamb", "ewe"), "cow": ("calf",), "horse": ("pony",), "rooster": ("chicken", "cock"),
    "mouse": ("rat",), "rhinoceros": ("rhino",), "hippopotamus": ("hippo",), "crocodile": ("alligator",),
    "turtle": ("tortoise",), "ladybug": ("ladybird", "lady beetle"), "bee": ("honeybee", "bumblebee"),
    "tropical fish": ("fish",), "panda": ("panda bear",), "koala": ("koala bear",), "snake": ("serpent",),
    "frog": ("toad",), "whale": ("blue whale",), "dinosaur": ("t-rex", "tyrannosaurus"), "chick": ("baby chicken",),
    "dove": ("bird",), "caterpillar": ("bug",), "deer": ("stag",), "monkey": ("ape",), "tree": ("oak tree", "leafy tree"),
    "pine tree": ("evergreen tree", "fir tree", "christmas tree"), "maple leaf": ("leaf",), "clover": ("four-leaf clover", "shamrock"),
    "cherry blossom": ("pink flower", "flower"), "potted plant": ("plant",), "orange": ("tangerine",), "apple": ("red apple",),
    "hamburger": ("burger", "cheeseburger"), "doughnut": ("donut",), "fried egg": ("egg",), "pizza": ("slice of pizza",),
    "birthday cake": ("cake",), "cupcake": ("muffin",), "ice cream": ("sundae", "bowl of ice cream"), "corn": ("ear of corn", "maize"),
    "chili pepper": ("hot pepper", "chili"), "french fries": ("fries", "chips"), "chicken leg": ("drumstick",),
    "cup of coffee": ("coffee", "cup of tea", "mug", "hot drink"), "glass of milk": ("milk",), "bread": ("loaf of bread", "toast"),
    "wine glass": ("glass of wine", "wine"), "eggplant": ("aubergine",), "car": ("automobile", "red car"), "taxi": ("cab",),
    "fire truck": ("fire engine",), "motorcycle": ("motorbike",), "bicycle": ("bike",), "sailboat": ("boat", "sailing boat"),
    "airplane": ("plane", "aeroplane"), "rocket": ("spaceship", "rocket ship"), "train": ("locomotive", "steam train"),
    "truck": ("lorry", "delivery truck"), "racing car": ("race car",), "ship": ("ocean liner",), "flying saucer": ("ufo",),
    "house": ("home",), "moon": ("crescent moon",), "globe": ("earth", "world"), "planet": ("saturn",), "fire": ("flame",),
    "gift": ("present",), "soccer ball": ("football", "ball"), "teddy bear": ("teddy",), "telephone": ("phone",),
    "laptop": ("computer", "notebook computer"), "television": ("tv",), "light bulb": ("lightbulb", "bulb"), "top hat": ("hat",),
    "backpack": ("rucksack", "school bag"), "alarm clock": ("clock",), "glasses": ("eyeglasses", "spectacles"),
    "necktie": ("tie",), "t-shirt": ("shirt", "tee shirt"), "jeans": ("trousers", "pants"), "sneaker": ("shoe", "running shoe"),
    "baseball cap": ("cap",), "ring": ("diamond ring",), "diamond": ("gem", "gemstone"), "box": ("package", "parcel"),
    "envelope": ("letter", "mail"), "padlock": ("lock",), "axe": ("hatchet",), "wrench": ("spanner",), "gear": ("cog", "cogwheel"),
    "bathtub": ("bath",), "watch": ("wristwatch",), "violin": ("fiddle",), "mountain": ("snowy mountain",), "grapes": ("bunch of grapes",),
    "cherries": ("cherry",), "star": ("yellow star",), "snowman": ("snow man",), "balloon": ("red balloon",), "key": ("golden key",),
    "saxophone": ("sax",), "guitar": ("acoustic guitar",), "teapot": ("kettle",), "camera": ("photo camera",),
    "headphones": ("headset",), "microphone": ("mic",), "magnifying glass": ("magnifier",), "lollipop": ("candy",),
}  # fmt: skip
"""Other words that a person may say for a drawn object."""
