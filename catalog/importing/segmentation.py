"""Finding the segmentation map of a photo."""

import os
from collections import Counter
from pathlib import Path, PurePath

MAP_ENDING = "_segm.png"


class MapFolder:
    """The segmentation maps in a folder: `<name>_segm.png` belongs to the photo `<name>.*`."""

    def __init__(self, folder: Path, photos: list[PurePath]) -> None:
        self.folder = folder
        self._maps = {
            PurePath(parent, name).relative_to(folder)
            for parent, _, names in os.walk(folder)
            for name in names
            if name.endswith(MAP_ENDING)
        }
        self._stems = Counter(photo.stem for photo in photos)

    def find(self, photo: PurePath) -> Path | None:
        """The map of a photo, whose path is relative to its own root; None where it has none.

        Looked for in the same subfolder as the photo's, then at the top, where the name must be
        that of one photo only.
        """
        beside = photo.with_name(f"{photo.stem}{MAP_ENDING}")
        if beside in self._maps:
            return self.folder / beside
        if PurePath(beside.name) in self._maps and self._stems[photo.stem] == 1:
            return self.folder / beside.name
        return None
