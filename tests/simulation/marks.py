"""Marks: made-up words that stand for one field of one person, so that a leaked field is recognised in any text."""

import re

CONSONANTS, VOWELS = "bdfgklmnprstvz", "aeiou"
SYLLABLES = [consonant + vowel for consonant in CONSONANTS for vowel in VOWELS]
FIELDS = {
    "Nam": "name",
    "Oth": "other_name",
    "Org": "organisation",
    "Rol": "role_title",
    "Nee": "needs",
    "Off": "offers",
    "Prj": "project",
    "Gol": "project_goal",
    "Kon": "contact",
}
PREFIXES = {field: prefix for prefix, field in FIELDS.items()}
_MARK = re.compile(rf"\b({'|'.join(FIELDS)})((?:[{CONSONANTS}][{VOWELS}]){{2}})(?![a-z])")


def mark(field: str, number: int) -> str:
    """The word that stands for a field of person `number` (below 4,900)."""
    first, second = divmod(number, len(SYLLABLES))
    return PREFIXES[field] + SYLLABLES[first] + SYLLABLES[second]


def marks_in(text: str) -> list[tuple[str, int]]:
    """Every (field, person) that a text names, in order, each once."""
    found = (
        (FIELDS[prefix], SYLLABLES.index(code[:2]) * len(SYLLABLES) + SYLLABLES.index(code[2:]))
        for prefix, code in _MARK.findall(text)
    )
    return list(dict.fromkeys(found))
