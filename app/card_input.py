"""The part of a card that tells how an image becomes the model's input."""

from dataclasses import dataclass
from math import prod

from app.fields import Fields

TYPES = ("float32", "uint8")
LAYOUTS = ("flat", "NCHW", "NHWC")
COLOURS = ("L", "RGB", "BGR")
RESIZES = ("stretch", "crop", "pad")
FILTERS = ("box", "bilinear", "bicubic", "lanczos")

FROM_0_TO_1 = 1 / 255


@dataclass(frozen=True)
class Input:
    """How an image becomes the model's input.

    It is brought to `width` x `height` by `resize` and `filter`; then each pixel is `(pixel * scale - mean) / std`.

    shape: the tensor's; the first size counts images, None stands for any number of them.
    layout: NCHW has colours before rows, NHWC after columns; `flat` is pixel after pixel, row after row, in any shape.
    scale, mean, std: one number for each channel, in the order of `colour`.
    resize: `stretch` ignores the image's proportions; `crop` makes the shorter side `resize_to` pixels and takes the
    middle; `pad` makes the whole image fit and fills up with black.
    """

    name: str
    shape: tuple[int | None, ...]
    type: str
    width: int
    height: int
    layout: str
    colour: str
    scale: tuple[float, ...]
    mean: tuple[float, ...]
    std: tuple[float, ...]
    resize: str
    resize_to: int
    filter: str

    @property
    def channels(self) -> int:
        """How many numbers make a pixel: 1 or 3."""
        return len(self.colour)


def parse_input(fields: Fields) -> Input:
    """Return what the card's `input` tells; faults are remembered in `fields`."""
    kind = fields.one_of("type", TYPES)
    colour = fields.one_of("colour", COLOURS, "L")
    channels = len(colour)
    width, height = fields.whole("width"), fields.whole("height")
    parsed = Input(
        name=fields.text("name"),
        shape=_shape(fields),
        type=kind,
        width=width,
        height=height,
        # Where pixels are single numbers, all layouts are the same.
        layout=fields.one_of("layout", LAYOUTS, "flat" if channels == 1 else None),
        colour=colour,
        scale=fields.numbers("scale", channels, 1.0 if kind == "uint8" else FROM_0_TO_1),
        mean=fields.numbers("mean", channels, 0.0),
        std=fields.numbers("std", channels, 1.0),
        resize=fields.one_of("resize", RESIZES, "stretch"),
        resize_to=fields.whole("resize_to", max(width, height)),
        filter=fields.one_of("filter", FILTERS, "box"),
    )
    _check_numbers(fields, parsed)
    _check_resize(fields, parsed)
    if parsed.shape and parsed.width and parsed.height:
        _check_size(fields, parsed)
    return parsed


def _check_numbers(fields: Fields, parsed: Input) -> None:
    if 0 in parsed.std:
        fields.fault("std", 0, "a number other than 0, because pixels are divided by it")
    unchanged = (set(parsed.scale), set(parsed.mean), set(parsed.std)) == ({1.0}, {0.0}, {1.0})
    if parsed.type == "uint8" and not unchanged:
        fields.fault("type", "uint8", "float32, or no scale, mean and std: such pixels go into the model as they are")


def _check_resize(fields: Fields, parsed: Input) -> None:
    least = max(parsed.width, parsed.height)
    if parsed.resize_to < least:
        fields.fault("resize_to", parsed.resize_to, f"at least {least}, so that there is enough to take the middle of")
    if fields.holds("resize_to") and parsed.resize != "crop":
        fields.fault("resize_to", parsed.resize_to, f"it only with resize 'crop', not with {parsed.resize!r}")


def _check_size(fields: Fields, parsed: Input) -> None:
    size = f"{parsed.width} x {parsed.height}"
    found = list(parsed.shape)
    wanted = {
        "NCHW": [parsed.channels, parsed.height, parsed.width],
        "NHWC": [parsed.height, parsed.width, parsed.channels],
    }.get(parsed.layout)
    if wanted and found[1:] != wanted:
        fields.fault("shape", found, f"[null, {str(wanted)[1:]} as {size} {parsed.colour} is in {parsed.layout}")
    numbers = prod(size for size in parsed.shape[1:] if size is not None)
    if not wanted and numbers != parsed.width * parsed.height * parsed.channels:
        colours = f" x {parsed.channels}" if parsed.channels > 1 else ""
        fields.fault("shape", found, f"{size}{colours} numbers after the first size")


def _shape(fields: Fields) -> tuple[int | None, ...]:
    shape = fields.list("shape")
    sizes_known = all(type(size) is int and size > 0 for size in shape[1:])
    first_known = bool(shape) and (shape[0] is None or (type(shape[0]) is int and shape[0] == 1))
    if shape and not (len(shape) >= 2 and first_known and sizes_known):
        fields.fault("shape", shape, "null or 1 for one image at a time, then whole numbers, such as [null, 64]")
        return ()
    return tuple(shape)
