"""Texts for people, by code, from the catalogues ``api/console/catalogue/{zh,en}.json``: one for server and console.

What must not go in: sentences. A new language is a new file.
"""

import json
import string
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from msgspec import Struct

LANGUAGES = ("zh", "en")
CATALOGUES = Path(__file__).parent / "console" / "catalogue"


class Bilingual(Struct, frozen=True):
    """One text in both languages."""

    zh: str
    en: str


class _Kept(dict[str, Any]):
    def __missing__(self, key: str) -> str:
        return ""


class Words:
    """The catalogues in memory. An unknown key gives the key itself, so that a gap is seen and nothing breaks."""

    def __init__(self, catalogues: Mapping[str, Mapping[str, str]]) -> None:
        self.catalogues = catalogues

    @classmethod
    def load(cls) -> "Words":
        """Read the catalogues of the package; called once at start, not on the event loop."""
        return cls({language: json.loads((CATALOGUES / f"{language}.json").read_text("utf-8")) for language in LANGUAGES})

    def both(self, key: str, parameters: Mapping[str, Any] | None = None) -> Bilingual:
        """The text of ``key`` with its ``{parameters}`` filled in."""
        return Bilingual(*(self.one(language, key, parameters) for language in LANGUAGES))

    def first(self, *keys: str) -> str:
        """The first of ``keys`` that the catalogues have; the last when they have none."""
        return next((key for key in keys if key in self.catalogues["zh"]), keys[-1])

    def one(self, language: str, key: str, parameters: Mapping[str, Any] | None = None) -> str:
        """The text in one language."""
        template = self.catalogues[language].get(key, key)
        return string.Formatter().vformat(template, (), _Kept(parameters or {})) if "{" in template else template
