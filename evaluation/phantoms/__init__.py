"""Phantoms: dermoscopic-looking lesions drawn from a seed, with exact masks, to try the portal without patients."""

from evaluation.phantoms.catalogue import CODES, SITES, SKIN_TYPES, Phantom, draw

__all__ = ["CODES", "SITES", "SKIN_TYPES", "Phantom", "draw"]
