"""Pictures by their first bytes, and a clock that goes when it is told to."""

from base64 import b64encode

PNG = b64encode(b"\x89PNG\r\n\x1a\n" + bytes(20)).decode()
JPEG = b64encode(b"\xff\xd8\xff\xe0" + bytes(20)).decode()
GIF = b64encode(b"GIF89a" + bytes(20)).decode()
WEBP = b64encode(b"RIFF\x00\x00\x00\x00WEBPVP8 " + bytes(20)).decode()
WAV = b64encode(b"RIFF\x00\x00\x00\x00WAVEfmt " + bytes(20)).decode()


class SteppedClock:
    """Each look at the stopwatch takes half a second; the day stands still."""

    def __init__(self) -> None:
        self.now = 100.0

    def monotonic(self) -> float:
        self.now += 0.5
        return self.now

    def utc(self) -> float:
        return 1_700_000_000.25
