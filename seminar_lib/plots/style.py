"""The colours and marks of all pictures.

The colours are those of Okabe & Ito, "Color Universal Design", 2008, which readers with any colour vision can tell
apart. Colour is never the only sign: a right answer also has a tick, a wrong one a cross, the true class bold letters.
"""

BLUE, VERMILLION = "#0072B2", "#D55E00"
INK, GREY, PALE = "#1A1A1A", "#6B6B6B", "#D0D0D0"
RIGHT, WRONG = "\N{CHECK MARK}", "\N{BALLOT X}"

# For classes. The yellow of the palette is too faint for a mark on white paper; INK stands for its black.
COLOURS = (BLUE, VERMILLION, "#009E73", "#CC79A7", "#E69F00", "#56B4E9", INK)
DARKER = 0.68  # than marks letters are: on white they take a contrast of 4.5 to 1 (WCAG 2.1)


def class_look(label: int) -> tuple[str, int]:
    """The colour of a class and the number of its marker, 0 to 6; no two of 49 classes share both."""
    turn, place = divmod(label, len(COLOURS))
    return COLOURS[place], (place + turn) % len(COLOURS)


def name_colour(label: int) -> str:
    """The colour in which the name of a class is written."""
    colour, _ = class_look(label)
    return for_letters(colour)


def answer_look(right: bool) -> tuple[str, str]:
    """The mark of an answer, and the colour in which both are written."""
    return (RIGHT, BLUE) if right else (WRONG, for_letters(VERMILLION))


def for_letters(colour: str) -> str:
    """A colour dark enough to write in."""
    return "#" + "".join(f"{round(DARKER * int(colour[i : i + 2], 16)):02X}" for i in (1, 3, 5))
