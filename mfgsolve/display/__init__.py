"""What notebooks show of an object: a card with a sentence, a small picture, and numbers; see `_repr_html_` of each.

Nothing here draws by a plotting library: a picture is a few hundred coloured cells, written as PNG, so that showing an
object takes milliseconds and touches no figure of the user's.
"""

from mfgsolve.display.cards import bar, card, number
from mfgsolve.display.pictures import png, strip
from mfgsolve.display.stated import problem_card

__all__ = ["bar", "card", "number", "png", "problem_card", "strip"]
