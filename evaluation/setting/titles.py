"""How the parts of a setting are called, and what may be found of a class."""

TITLES = {
    "color": "Colour order",
    "scaling": "Value range",
    "resize": "Resizing",
    "interpolation": "Interpolation",
    "antialias": "Antialias",
    "output": "Output",
}
CONFIRMED, ELIMINATED, UNDETERMINED = "confirmed", "by elimination", "undetermined"
