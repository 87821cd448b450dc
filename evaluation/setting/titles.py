"""How the parts of a setting are called."""

TITLES = {
    "color": "Colour order",
    "scaling": "Value range",
    "resize": "Resizing",
    "interpolation": "Interpolation",
    "antialias": "Antialias",
    "output": "Output",
}
