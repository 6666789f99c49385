"""DeepFashion's file names."""

import re
from dataclasses import dataclass

EXPECTED_NAME = (
    "{WOMEN|MEN}-{category}-id_{8 digits}-{2 digits}_{digits}_{view}.{jpg|png}, such as "
    "WOMEN-Dresses-id_00000012-01_4_full.jpg"
)

# The item is `id_` with its number and the two digits of its colour. Numbers are not given out
# anew per gender or category (in DeepFashion each names one article), so an item that turns up
# under two of them is a contradiction, not two items. What follows the colour tells of the photo
# only: the pose's number and the view's name.
DEEPFASHION_NAME = re.compile(
    r"""
    (?P<gender>WOMEN|MEN)
    -(?P<category>[A-Za-z0-9_-]{1,100})
    -(?P<item>id_[0-9]{8}-[0-9]{2})
    _(?P<pose>[0-9]{1,6})
    _(?P<view>[a-z]{1,24})
    \.(?:jpg|png)
    """,
    re.VERBOSE,
)
_LOOKS_LIKE = re.compile(r"(?:WO)?MEN-.+-id_", re.IGNORECASE)


@dataclass(frozen=True)
class DeepFashionName:
    """What a file's name says of its photo."""

    gender: str
    category: str
    item_id: str
    pose: int
    view: str


def parse_name(name: str) -> DeepFashionName | None:
    """What a DeepFashion file name says, or None where the name is not one."""
    match = DEEPFASHION_NAME.fullmatch(name)
    if match is None:
        return None
    return DeepFashionName(
        gender=match["gender"],
        category=match["category"],
        item_id=match["item"],
        pose=int(match["pose"]),
        view=match["view"],
    )


def looks_like_deepfashion(name: str) -> bool:
    """Whether a name was meant as a DeepFashion name, rightly formed or not.

    One such name in a folder means that all its names are expected to be.
    """
    return _LOOKS_LIKE.match(name) is not None
