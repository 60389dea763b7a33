"""What is refused of pictures; known without Pillow."""


class TooManyPixels(Exception):
    """A decompression bomb, or more than is decoded here."""

    def __init__(self, pixels: int, most: int) -> None:
        super().__init__(f"{pixels} pixels, of {most} at most")
        self.pixels = pixels
        self.most = most
