"""Telephone numbers as people write them: what is dialled, and why a text is refused."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cato_contracts.api.phone_numbers import (
    MAX_PHONE_TEXT,
    PHONE_PATTERN,
    PHONE_SCHEMA,
    PhoneError,
    PhoneRule,
    is_extension_of,
    normalised_phone,
)

NOT, EXTENSION, SEVERAL = PhoneRule.NOT_A_NUMBER, PhoneRule.EXTENSION, PhoneRule.SEVERAL
LONG, SCIENTIFIC = PhoneRule.TOO_LONG, PhoneRule.SCIENTIFIC


@pytest.mark.parametrize(
    ("written", "dialled"),
    [
        ("776429", "776429"),
        ("+7 (343) 210-69-51", "+73432106951"),
        ("8(34397)12345", "83439712345"),
        ("+7\u00a0343\u202f210\u201169\u201351", "+73432106951"),
        ("8\u2003495\u2009123\u221245\u201467", "84951234567"),
        ("\u202a+73432106951\u202c", "+73432106951"),
        ("\u200e\ufeff84951234567\u200b\u2069", "84951234567"),
        ("８４９５（１２３）４５－６７", "84951234567"),
        ("＋７９１６１２３４５６７", "+79161234567"),
        ("＊２１＃", "*21#"),
        ("'84951234567", "84951234567"),
        ("\u201984951234567", "84951234567"),
        ("tel:+7-343-210.69.51", "+73432106951"),
        ("TEL:84951234567", "84951234567"),
        ("+44 (0)20 7946 0018", "+442079460018"),
        ("+44 (0) 20 7946 0018", "+442079460018"),
        ("07911 123456", "07911123456"),
        ("0171 12345678", "017112345678"),
        ("+49 33203 12345", "+493320312345"),
        ("1234 5678", "12345678"),
        ("8 34397 12345", "83439712345"),
        ("810 44 7911 123456", "810447911123456"),
        ("00 44 7911 123456", "00447911123456"),
        ("#31#84951234567", "#31#84951234567"),
        ("*21*84951234567#", "*21*84951234567#"),
    ],
)
def test_typographic_characters_are_removed_from_a_number_l3(written, dialled):
    assert normalised_phone(written) == dialled
    assert re.search(PHONE_PATTERN, written)


@pytest.mark.parametrize(
    ("written", "rule"),
    [
        ("", NOT),
        ("abc", NOT),
        ("²²²", NOT),
        ("79161234567.0", NOT),
        ("12.34", NOT),
        ("''84951234567", NOT),
        ("tel:", NOT),
        ("sip:84951234567@example.org", NOT),
        ("٨٤٩٥١٢٣٤٥٦٧", NOT),
        ("\ud800", NOT),
        ("7.9E+10", SCIENTIFIC),
        ("7,9E+10", SCIENTIFIC),
        ("7.9Е+10", SCIENTIFIC),
        ("+" + "1" * 16, LONG),
        ("+7 495 123 45 67 890 12", LONG),
        ("tel:+1234567890123456", LONG),
        ("1" * 33, LONG),
        ("1 " * 100, LONG),
        ("84951234567 84951234568", SEVERAL),
        ("84951234567\u00a084951234568", SEVERAL),
        ("84951234567\t84951234568", SEVERAL),
        ("84951234567\n84951234568", SEVERAL),
        ("8 495 123-45-67 8 495 123-45-68", SEVERAL),
        ("+7 495 123-45-67 +7 495 123-45-68", SEVERAL),
        ("+79161234567 9161234567", SEVERAL),
        ("776413 776450", SEVERAL),
        ("123-45-67 123-45-68", SEVERAL),
        ("84951234567, 84951234568", SEVERAL),
        ("84951234567/84951234568", SEVERAL),
        ("84951234567; 84951234568", SEVERAL),
        ("84951234567 или 84951234568", SEVERAL),
        ("84951234567 112", SEVERAL),
        ("84951234567,112", EXTENSION),
        ("84951234567;112", EXTENSION),
        ("84951234567#112", EXTENSION),
        ("84951234567*112", EXTENSION),
        ("84951234567x112", EXTENSION),
        ("84951234567,,112", EXTENSION),
        ("8 495 123-45-67 доб. 112", EXTENSION),
        ("8 495 123-45-67 (доб. 112)", EXTENSION),
        ("8 495 123-45-67 ext. 112", EXTENSION),
        ("tel:+74951234567;ext=112", EXTENSION),
    ],
)
def test_what_is_not_one_number_is_refused_with_its_rule_l1_l3_l4(written, rule):
    with pytest.raises(PhoneError, match="telephone number") as refused:
        normalised_phone(written)
    assert refused.value.rule == rule, refused.value
    assert len(written) > MAX_PHONE_TEXT or not re.search(PHONE_PATTERN, written)


@pytest.mark.parametrize(
    ("number", "text", "extension"),
    [
        ("84951234567", "112", True),
        ("84951234567", "доб. 12345", True),
        ("84951234567", "776413", False),
        ("776413", "112", False),
        ("84951234567", "+112", False),
        ("84951234567", "", False),
    ],
)
def test_a_short_number_after_a_whole_one_is_an_extension_l1(number, text, extension):
    assert is_extension_of(number, text) is extension


@given(st.text(alphabet="0123456789+*#  ()-.,'tel:\u00a0\u2013\u200e\uff11\uff0b", max_size=40))
def test_the_pattern_and_the_function_agree_and_no_digit_is_added_l4(text):
    accepted = bool(re.search(PHONE_PATTERN, text))
    try:
        number = normalised_phone(text)
    except PhoneError:
        assert not accepted
        return
    assert accepted
    assert re.search(str(PHONE_SCHEMA["pattern"]), text)
    assert re.fullmatch(r"\+[0-9]{1,15}|[0-9*#]{1,32}", number)
    assert number == normalised_phone(number)


@given(st.integers(min_value=10**9, max_value=10**11), st.integers(min_value=10**4, max_value=10**11))
def test_two_numbers_with_a_blank_between_are_never_one_l4(first, second):
    with pytest.raises(PhoneError):
        normalised_phone(f"{first} {second}")
