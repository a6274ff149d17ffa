"""The forms of a telephone number."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cato_contracts.numbering import Numbering

RUSSIA = Numbering()
FORMS = ["+73437200041", "73437200041", "83437200041", "3437200041"]


@pytest.mark.parametrize("written", FORMS)
def test_r4_each_form_of_a_national_number_has_all_forms(written):
    assert set(RUSSIA.forms(written)) == set(FORMS)
    assert RUSSIA.forms(written)[0] == written


@pytest.mark.parametrize(
    ("number", "forms"),
    [
        ("+380441234567", ["+380441234567", "380441234567"]),
        ("380441234567", ["380441234567", "+380441234567"]),
        ("+3437200041", ["+3437200041"]),
        ("776413", ["776413", "+776413"]),
        ("*21#", ["*21#"]),
        ("112", ["112", "+112"]),
        ("+112", ["+112", "112"]),
        ("84951234567112", ["84951234567112", "+84951234567112"]),
    ],
)
def test_other_numbers_have_the_forms_with_and_without_plus(number, forms):
    assert RUSSIA.forms(number) == forms


def test_another_country_has_its_own_rule():
    germany = Numbering(country_code="49", national_prefix="0", national_digits=11)
    assert set(germany.forms("015112345678")) == {
        "015112345678",
        "+4915112345678",
        "4915112345678",
        "15112345678",
    }


def test_without_a_country_only_the_plus_is_left_out():
    nowhere = Numbering(country_code="", national_prefix="")
    assert nowhere.forms("83437200041") == ["83437200041", "+83437200041"]


@given(st.from_regex(r"\A(?:\+?[0-9]{1,20}|[0-9*#]{1,20})\Z"))
def test_forms_are_symmetric(number):
    forms = RUSSIA.forms(number)
    assert forms[0] == number
    assert all(number in RUSSIA.forms(form) for form in forms)
