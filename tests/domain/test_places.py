"""From what people type to a country and a time zone."""

from zoneinfo import available_timezones

import pytest

from bot.domain.places import Place, city_of, find_city, find_place, home_of, near_places, place_in, zones_of


@pytest.mark.parametrize(
    ("typed", "country", "zone"),
    [
        ("Jakarta", "ID", "Asia/Jakarta"),
        ("  jakarta ", "ID", "Asia/Jakarta"),
        ("Surabaya, Indonesia", "ID", "Asia/Jakarta"),
        ("Denpasar", "ID", "Asia/Makassar"),
        ("Улаанбаатар", "MN", "Asia/Ulaanbaatar"),
        ("Ховд", "MN", "Asia/Hovd"),
        ("กรุงเทพ", "TH", "Asia/Bangkok"),
        ("cagayan de oro", "PH", "Asia/Manila"),
        ("Ho Chi Minh", "VN", "Asia/Ho_Chi_Minh"),
        ("asia/manila", "PH", "Asia/Manila"),
        ("Philippines", "PH", "Asia/Manila"),
        ("mn", "MN", "Asia/Ulaanbaatar"),
    ],
)
def test_a_city_a_zone_and_a_country_are_found(typed: str, country: str, zone: str) -> None:
    assert find_place(typed) == Place(country, zone)


@pytest.mark.parametrize(
    "typed", ["Europe", "Kiev", "+25:99", "../../etc/passwd", "", "posixrules", "\x00", "a" * 4000]
)
def test_what_is_no_place_is_not_guessed(typed: str) -> None:
    assert find_place(typed) is None


def test_near_names_are_offered_only_for_what_looks_like_a_name() -> None:
    assert "Kyiv" in near_places("Kiev")
    assert near_places("Ulanbatar")[0] == "Ulaanbaatar"
    assert near_places("+25:99") == ()
    assert len(near_places("Santa")) <= 5


def test_every_zone_that_is_given_is_one_that_exists() -> None:
    known = available_timezones()
    for country in ("ID", "MN", "PH", "TH", "US", "IN", "BR"):
        assert set(zones_of(country)) <= known


def test_a_country_stands_for_its_largest_zone_and_a_city_for_itself() -> None:
    assert place_in("ID") == Place("ID", "Asia/Jakarta")
    assert place_in("XX") is None
    assert find_city("Indonesia") is None
    assert city_of("Asia/Ho_Chi_Minh") == "Ho Chi Minh"


def test_home_is_known_for_languages_of_one_country() -> None:
    assert home_of("fil") == Place("PH", "Asia/Manila")
    assert home_of("en") is None
