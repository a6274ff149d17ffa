"""One telephone number in its national and international forms.

A list has `83437200041`, a request asks for `+7 (343) 720-00-41`: both are one number. The rule of a country
is its code, the prefix of national calls (ITU-T: trunk prefix), and the length of a national number.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Numbering:
    """The rule of a country; without a country code every number has only the form that it is written in."""

    country_code: str = "7"
    national_prefix: str = "8"
    national_digits: int = 10

    def forms(self, number: str) -> list[str]:
        """Return the forms under which a normalised number may be stored; the given one is the first.

        A number of the country has four: `+73437200041`, `73437200041`, `83437200041`, `3437200041`. Any
        other has two, with and without `+`, unless the latter is a number of the country; codes have one.
        """
        national = self._national(number)
        if national is not None:
            code, prefix = self.country_code, self.national_prefix
            others = [f"+{code}{national}", f"{code}{national}", f"{prefix}{national}", national]
        elif number.startswith("+"):
            others = [number[1:]] if self._national(number[1:]) is None else []
        elif number.isdigit():
            others = [f"+{number}"]
        else:
            others = []
        return list(dict.fromkeys([number, *others]))

    def canonical(self, number: str) -> str:
        """Return the one form by which numbers are compared; two forms of one number have the same."""
        national = self._national(number)
        if national is not None:
            return f"+{self.country_code}{national}"
        # "+3437200041" is a number abroad, "3437200041" one of the country.
        plain = number.removeprefix("+")
        return plain if self._national(plain) is None else number

    def _national(self, number: str) -> str | None:
        if not self.country_code:
            return None
        prefixes = [f"+{self.country_code}", self.country_code, self.national_prefix, ""]
        for prefix in prefixes:
            rest = number.removeprefix(prefix)
            if number.startswith(prefix) and len(rest) == self.national_digits and rest.isdigit():
                return rest
        return None
