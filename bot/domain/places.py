"""Where somebody is: a city or a country, as typed, becomes a country and an IANA time zone."""

from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from rapidfuzz import fuzz, process

from bot.domain.words import folded

# Cities that name no zone: the larger ones of the four countries of the first programme, and capitals elsewhere.
_CITIES = {
    "Asia/Jakarta": "bandung bekasi bogor depok medan palembang semarang surabaya surakarta solo tangerang yogyakarta "
    "jogja padang pekanbaru batam malang aceh,banda+aceh lampung bandar+lampung",
    "Asia/Pontianak": "palangkaraya palangka+raya singkawang",
    "Asia/Makassar": "balikpapan banjarmasin samarinda denpasar bali manado palu kendari kupang mataram gorontalo",
    "Asia/Jayapura": "ambon sorong manokwari merauke ternate timika",
    "Asia/Ulaanbaatar": "ulan+bator ulaan+baatar улаанбаатар darkhan дархан erdenet эрдэнэт choibalsan чойбалсан "
    "mörön мөрөн dalanzadgad даланзадгад sainshand сайншанд zuunmod зуунмод",
    "Asia/Hovd": "khovd ховд ulgii ölgii bayan-ölgii өлгий ulaangom улаангом",
    "Asia/Manila": "quezon quezon+city makati cebu cebu+city davao davao+city zamboanga taguig pasig iloilo bacolod "
    "baguio cagayan+de+oro general+santos maynila legazpi naga tacloban",
    "Asia/Bangkok": "กรุงเทพ กรุงเทพมหานคร chiang+mai เชียงใหม่ chiang+rai เชียงราย khon+kaen ขอนแก่น hat+yai "
    "หาดใหญ่ phuket ภูเก็ต pattaya พัทยา nonthaburi นนทบุรี korat nakhon+ratchasima นครราชสีมา udon+thani อุดรธานี",
    "Asia/Kolkata": "delhi new+delhi mumbai",
    "Asia/Shanghai": "beijing",
    "Asia/Ho_Chi_Minh": "hanoi ha+noi",
    "Asia/Karachi": "islamabad lahore",
    "Asia/Yangon": "naypyidaw",
    "Asia/Almaty": "astana",
    "Asia/Kuching": "kota+kinabalu",
    "America/New_York": "washington washington+dc",
    "America/Toronto": "ottawa",
    "America/Sao_Paulo": "brasilia",
    "Europe/Istanbul": "ankara",
    "Europe/Zurich": "bern geneva",
    "Africa/Lagos": "abuja",
    "Africa/Johannesburg": "pretoria cape+town",
    "Africa/Abidjan": "yamoussoukro",
    "Australia/Sydney": "canberra",
    "Pacific/Auckland": "wellington",
}
_HOMES = {"id": "Asia/Jakarta", "mn": "Asia/Ulaanbaatar", "fil": "Asia/Manila", "th": "Asia/Bangkok"}
_NEAR_ENOUGH = 55


@dataclass(frozen=True, slots=True)
class Place:
    """A country by its ISO 3166-1 alpha-2 code, and an IANA time zone of it."""

    country: str
    time_zone: str


@cache
def _zones() -> dict[str, str]:
    """The country of each zone, in the order of the tz database: a country's largest zone first."""
    return {fields[2]: fields[0] for fields in _table("zone.tab")}


@cache
def _countries() -> dict[str, str]:
    """Country codes by code and English name, both folded."""
    found: dict[str, str] = {}
    for code, name in _table("iso3166.tab"):
        found |= {folded(code): code, folded(name): code, folded(name.partition(" (")[0]): code}
    return found


@cache
def _cities() -> dict[str, str]:
    """The zone of each city that can be typed, folded."""
    found: dict[str, str] = {}
    for zone, cities in _CITIES.items():
        found |= {folded(city.replace("+", " ")): zone for city in cities.replace(",", " ").split()}
    return found | {folded(city_of(zone)): zone for zone in _zones()} | {folded(zone): zone for zone in _zones()}


def _table(name: str) -> list[list[str]]:
    text = (files("tzdata") / "zoneinfo" / name).read_text("utf-8")
    return [line.split("\t") for line in text.splitlines() if line and not line.startswith("#")]


def city_of(time_zone: str) -> str:
    """The city in a zone's name: Asia/Ho_Chi_Minh is Ho Chi Minh."""
    return time_zone.rpartition("/")[2].replace("_", " ")


def zones_of(country: str) -> tuple[str, ...]:
    """The zones of a country, its largest first."""
    return tuple(zone for zone, code in _zones().items() if code == country)


def place_in(country: str) -> Place | None:
    """A country's largest zone, or None for a country that has none."""
    zones = zones_of(country)
    return Place(country, zones[0]) if zones else None


def find_city(text: str) -> Place | None:
    """The place that a text names by a zone or a city; of "city, country" either part."""
    for typed in _parts(text):
        zone = _cities().get(typed)
        if zone is not None:
            return Place(_zones()[zone], zone)
    return None


def find_place(text: str) -> Place | None:
    """The place that a text names: a zone, a city, or a country by code or English name."""
    named = next((_countries()[typed] for typed in _parts(text) if typed in _countries()), None)
    return find_city(text) or (place_in(named) if named else None)


def _parts(text: str) -> list[str]:
    return [folded(" ".join(part.split())) for part in (text, *text.split(","))]


def near_places(text: str, limit: int = 5) -> tuple[str, ...]:
    """Names of cities that look like what was typed, best first; empty for what looks like no name at all."""
    if sum(letter.isalpha() for letter in text) < 3:
        return ()
    known = {folded(city_of(zone)): city_of(zone) for zone in _zones()}
    found = process.extract(folded(text[:60]), list(known), scorer=fuzz.ratio, score_cutoff=_NEAR_ENOUGH, limit=limit)
    return tuple(known[name] for name, _, _ in found)


def home_of(language: str) -> Place | None:
    """Where most people live who speak a language of one country; None for English."""
    zone = _HOMES.get(language)
    return Place(_zones()[zone], zone) if zone else None
