"""What a model, an alias and a tag may be called."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping

from jupyter_mlstudio.entities.models import ParityPolicy
from jupyter_mlstudio.errors import Conflict, Invalid

NAME_LIMIT = 128
TAGS_LIMIT = 100
_RESERVED = re.compile(r"latest|v?\d+", re.I)


def checked_name(name: str) -> str:
    """Normalises a model's name (NFC).

    Raises:
        Invalid: it is empty, too long, begins or ends with a space, or holds control or invisible characters.
    """
    return _checked(name, "a model's name", NAME_LIMIT)


def checked_alias(alias: str) -> str:
    """Normalises an alias; names that read like a version are reserved."""
    checked = _checked(alias, "an alias", 64)
    if _RESERVED.fullmatch(checked) or not re.match(r"\w", checked):
        raise Invalid(f"{alias[:80]!r} cannot be an alias: latest, numbers and v1, v2 ... stand for versions")
    return checked


def _checked(text: str, what: str, limit: int) -> str:
    normal = unicodedata.normalize("NFC", text)
    strange = [char for char in normal if unicodedata.category(char) in ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp")]
    if strange:
        raise Invalid(f"{what} cannot hold the character U+{ord(strange[0]):04X}")
    if not normal or len(normal) > limit or normal != normal.strip() or normal in (".", ".."):
        raise Invalid(f"{normal[:80]!r} cannot be {what}: 1 to {limit} characters, no space at either end")
    if "/" in normal or "\\" in normal:
        raise Invalid(f"{normal[:80]!r} cannot be {what}: it holds a slash")
    return normal


def refuse_twin(name: str, known: Iterable[str]) -> None:
    """Refuses a name that differs from another only in case or in look."""
    folded = unicodedata.normalize("NFKC", name).casefold()
    for other in known:
        if other != name and unicodedata.normalize("NFKC", other).casefold() == folded:
            raise Conflict(f"there is a model {other!r} already, whose name looks the same: use that, or another name")


def merged_tags(tags: Mapping[str, str], changed: Mapping[str, str | None]) -> dict[str, str]:
    """Tags with changes made; None removes one."""
    merged = {**tags, **changed}
    kept = {_checked(key, "a tag's name", 250): value for key, value in merged.items() if value is not None}
    if len(kept) > TAGS_LIMIT or any(len(value) > 5000 for value in kept.values()):
        raise Invalid(f"a version has at most {TAGS_LIMIT} tags of at most 5,000 characters")
    return kept


def check_policy(tolerance: float | None, policy: ParityPolicy | None) -> None:
    """Checks how far ONNX may be from the original.

    Raises:
        Invalid: a number is out of its range, or both say how large a difference may be.
    """
    if policy is None:
        policy = ParityPolicy(max_abs_difference=tolerance)
    elif tolerance is not None:
        raise Invalid("give either tolerance or a policy with max_abs_difference, not both")
    limit = policy.max_abs_difference
    if limit is not None and not 0 <= limit < float("inf"):
        raise Invalid(f"the largest difference is {limit}; give a number from 0")
    if policy.max_label_flips < 0:
        raise Invalid(f"max_label_flips is {policy.max_label_flips}; give a number from 0")
    if not 0 < policy.quantile <= 1:
        raise Invalid(f"quantile is {policy.quantile}; give a number above 0, up to 1 for every row")
