"""How well two colours, known by their names, go together."""

# Degrees on the artist's colour circle (red, yellow and blue a third apart), on which Itten's
# opposites lie opposite. Names are those of the two data sets' colours, and common others.
NAMES_BY_HUE = {
    0: "red maroon burgundy",
    20: "rust coral",
    60: "orange copper peach",
    80: "bronze tan",
    110: "mustard gold",
    120: "yellow",
    130: "khaki",
    150: "lime olive",
    180: "green",
    210: "teal turquoise",
    215: "aqua",
    240: "blue",
    260: "indigo",
    290: "lavender",
    300: "purple violet",
    310: "mauve",
    330: "magenta fuchsia",
    345: "rose pink",
}
HUES = {name: hue for hue, names in NAMES_BY_HUE.items() for name in names.split()}
NEUTRAL_NAMES = (
    "beige black bone brown camel charcoal coffee cream denim ecru gray grey ivory melange "
    "metallic mushroom navy nude silver skin steel taupe white"
)
NEUTRALS = frozenset(NEUTRAL_NAMES.split())
UNKNOWN = 0.5
WITH_NEUTRAL = 0.9
BY_DIFFERENCE = ((15, 0.7), (45, 0.8), (105, 0.3), (135, 0.6), (165, 0.4), (180, 1.0))


def color_harmony(a: str, b: str) -> float:
    """From 0.3 (clash) to 1 (opposites); 0.5 where either name says nothing.

    A neutral goes with everything, opposites complete each other, neighbours and thirds go
    together, and what lies between clashes.
    Source: J. Itten, Kunst der Farbe (1961), turned into steps of our own; not measured.
    """
    first, second = _hue(a), _hue(b)
    if first is None or second is None:
        return UNKNOWN
    if "neutral" in (first, second):
        return WITH_NEUTRAL
    difference = abs(first - second) % 360
    difference = min(difference, 360 - difference)
    return next(harmony for limit, harmony in BY_DIFFERENCE if difference <= limit)


def _hue(name: str) -> int | str | None:
    """Degrees, "neutral", or None; "Navy Blue" is navy, "Sea Green" is green."""
    words = name.lower().replace("-", " ").split()
    if any(word in NEUTRALS for word in words):
        return "neutral"
    return next((HUES[word] for word in reversed(words) if word in HUES), None)
