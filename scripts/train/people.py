"""Sentences with names and addresses of nobody, and sentences without, in nine languages. Values are
from Faker; `people.txt` has the sentences."""

import importlib.metadata
import random

from faker import Faker

import own

SEED = 7
# Of each sentence.
COPIES = {"en": 24, "de": 22, "fr": 22, "es": 22, "it": 12, "nl": 12, "pt": 12, "pl": 10}
LOCALES = {
    "en": "en_US en_US en_GB en_IN en_IE en_NZ en_NG en_CA en_AU".split(),
    "de": "de_DE de_DE de_AT de_CH".split(),
    "fr": "fr_FR fr_FR fr_CH fr_CA".split(),
    "es": "es_ES es_ES es_MX es_CO es_CL es_AR".split(),
    "it": ["it_IT"],
    "nl": ["nl_NL", "nl_BE"],
    "pt": ["pt_BR", "pt_PT"],
    "pl": ["pl_PL"],
}
# Whose names are met everywhere.
GUESTS = """en_US en_IN de_DE fr_FR es_ES it_IT nl_NL pl_PL pt_BR sv_SE da_DK fi_FI tr_TR hr_HR ro_RO cs_CZ no_NO
    hu_HU id_ID en_NG vi_VN""".split()
# Whose people cannot be written with one of the sentences above, but live at addresses.
ABROAD = "da_DK sv_SE no_NO fi_FI cs_CZ hr_HR en_PH".split()
# Whose cities are real ones.
REAL = ["de_DE", "de_AT", "de_CH", "en_IN", "nl_NL", "sv_SE"]

BOXES = {
    "en": ["PO Box {n}", "P.O. Box {n}", "po box {n}"],
    "de": ["Postfach {n}"],
    "fr": ["BP {n}", "boîte postale {n}"],
    "es": ["Apartado de Correos {n}", "apartado {n}"],
    "it": ["casella postale {n}"],
    "nl": ["Postbus {n}"],
    "pt": ["caixa postal {n}"],
    "pl": ["skr. poczt. {n}"],
}
EXTRAS = {
    "en": ["Apt. {m}", "Apt {m}", "Suite {m}", "Flat {m}", "Unit {m}", "2nd floor", "apt {m}b"],
    "de": ["2. Stock", "Whg {m}", "Hinterhaus", "c/o {LAST}", "Stiege {m} Tür 4"],
    "fr": ["apt {m}", "bâtiment B", "2ème étage", "appartement {m}"],
    "es": ["piso 2", "2º B", "3º izquierda", "puerta {m}", "Edif. {m}"],
    "it": ["interno {m}", "scala B"],
    "nl": ["{m} hoog"],
    "pt": ["apto {m}", "2º andar"],
    "pl": ["m. {m}"],
}
LAND = {
    "en": ["USA", "UK", "United Kingdom", "United States", "India", "Ireland", "Canada"],
    "de": ["Deutschland", "Germany", "Österreich", "Schweiz"],
    "fr": ["France", "Suisse", "Belgique"],
    "es": ["España", "Spain", "México", "Colombia"],
    "it": ["Italia", "Italy"],
    "nl": ["Nederland", "Netherlands"],
    "pt": ["Brasil", "Portugal"],
    "pl": ["Polska", "Poland"],
}


class Maker:
    """Fills sentences; the same seed gives the same sentences."""

    def __init__(self, seed):
        self.random = random.Random(seed)
        names = sorted({locale for group in LOCALES.values() for locale in group} | set(GUESTS) | set(ABROAD))
        self.fakers = {locale: Faker(locale, use_weighting=False) for locale in names}
        for index, locale in enumerate(names):
            self.fakers[locale].seed_instance(seed * 1000 + index)
        self.goods = [line for section, line in own.entries("goods.txt") if section == "goods"]
        self.cities = [line for section, line in own.entries("people.txt") if section == "cities"]
        self.brands = [line for section, line in own.entries("people.txt") if section == "brands"]

        package = importlib.metadata.distribution("getindianname")
        files = sorted(str(file) for file in package.files if file.name in ("malename.txt", "femalename.txt"))
        texts = [package.locate_file(file).read_text() for file in files]
        self.indian = sorted({line.strip() for text in texts for line in text.splitlines() if line.strip().isalpha()})

    def faker(self, language, guests=0.25):
        pool = GUESTS if self.random.random() < guests else LOCALES[language]
        return self.fakers[self.random.choice(pool)]

    def first(self, language):
        if language == "en" and self.random.random() < 0.15:
            return self.random.choice(self.indian)
        return self.faker(language).first_name()

    def last(self, language):
        return self.faker(language).last_name()

    def name(self, language):
        kind = self.random.random()
        if language == "en" and self.random.random() < 0.2:
            names = self.random.sample(self.indian, 2)
            return names[0] if kind < 0.6 else " ".join(names)
        first, last = self.first(language), self.last(language)
        if kind < 0.62:
            return f"{first} {last}"
        if kind < 0.7:
            return f"{first} {self.random.choice('ABCDEFGHJKLMNPRSTW')}. {last}"
        if kind < 0.75:
            return f"{first} {self.first(language)} {last}"
        if kind < 0.8:
            return f"{first} {last}-{self.last(language)}"
        if kind < 0.84:
            return f"{last}, {first}"
        if kind < 0.88:
            return f"{first[0]}. {last}"
        if kind < 0.9:
            return f"{first} {self.random.choice(['van', 'de', 'von', 'di', 'del', 'bin', 'da', 'van der'])} {last}"
        return first

    def street(self, language):
        if self.random.random() < 0.06:
            return self.random.choice(BOXES[language]).replace("{n}", str(self.random.randint(1, 9999)))
        faker = self.faker(language, 0.04)
        street = faker.street_address().replace("\n", " ").strip()
        if self.random.random() < 0.35:
            number = self.random.choice(["{n}", "{n}", "{n}a", "{n} b", "{n}-{m}", "{n}/{m}"])
            number = number.replace("{n}", str(self.random.randint(1, 250))).replace("{m}", str(self.random.randint(1, 60)))
            name = faker.street_name()
            before = language in ("en", "fr")
            street = f"{number} {name}" if before else f"{name} {number}"
            if language in ("fr", "es", "pt") and self.random.random() < 0.3:
                street = street.replace(" ", ", ", 1) if before else f"{name}, {number}"
        if language == "de" and self.random.random() < 0.5:
            street = street.replace("straße", "str.").replace("Straße", "Str.")
            street = street.replace("strasse", "str.")
        if language == "de" and self.random.random() < 0.2:
            street = street.replace("straße", "strasse").replace("Straße", "Strasse")
        if language == "en" and self.random.random() < 0.5:
            for long, short in (("Street", "St"), ("Avenue", "Ave"), ("Road", "Rd"), ("Drive", "Dr"), ("Lane", "Ln")):
                street = street.replace(long, short)
        return street

    def address(self, language):
        if self.random.random() < 0.05:
            return self.fakers[self.random.choice(ABROAD)].address()
        faker = self.faker(language, 0.05)
        street = self.street(language)
        if self.random.random() < 0.15:
            extra = self.random.choice(EXTRAS[language]).replace("{m}", str(self.random.randint(1, 99)))
            street += self.random.choice([" ", ", ", "\n"]) + extra.replace("{LAST}", self.last(language))
        code, city = faker.postcode(), faker.city()
        shape = self.random.random()
        if shape < 0.22:
            return street
        glue = self.random.choice([", ", ", ", " ", "\n", " , "])
        if language == "en":
            state = getattr(faker, "state_abbr", lambda: "")() if self.random.random() < 0.6 else ""
            place = self.random.choice([f"{city}, {state} {code}", f"{city} {state} {code}", f"{city} {code}", city])
            place = place.replace(",  ", ", ").replace("  ", " ")
        else:
            place = self.random.choice([f"{code} {city}", f"{code} {city}", f"{city}, {code}", f"{city} {code}", city])
        if language == "de" and self.random.random() < 0.1:
            place = f"D-{place}"
        if shape < 0.28 and any(c.isdigit() for c in place):
            return place
        if self.random.random() < 0.15:
            place += self.random.choice([", ", " ", "\n"]) + self.random.choice(LAND[language])
        return street + glue + place

    def number(self):
        digits = "0123456789"
        shape = self.random.choice(["####", "#####", "######", "FJ-#####", "FJ#####", "405-#######-#######", "#########"])
        return "".join(self.random.choice(digits) if c == "#" else c for c in shape)

    def value(self, slot, language):
        """(text, label)"""
        r = self.random
        match slot:
            case "NAME":
                return self.name(language), 1
            case "FIRST":
                return self.first(language), 1
            case "LAST":
                return self.last(language), 1
            case "ADDR":
                return self.address(language), 2
            case "STREET":
                return self.street(language), 2
            case "CODE":
                return f"{self.faker(language, 0).postcode()}", 2
            case "PLACE":
                faker = self.faker(language, 0)
                return f"{faker.postcode()} {faker.city()}", 2
            case "CITY":
                return (self.fakers[r.choice(REAL)].city() if r.random() < 0.5 else r.choice(self.cities)), 0
            case "BIG":
                return r.choice(self.cities), 0
            case "LAND":
                return (r.choice(LAND[r.choice(list(LAND))]) if r.random() < 0.5 else self.faker(language).country()), 0
            case "AGENT":
                return self.first(language), 0
            case "NUM":
                return self.number(), 0
            case "N":
                return str(r.randint(1, 99)), 0
            case "GOOD":
                return r.choice(self.goods), 0
            case "BRAND":
                return r.choice(self.brands), 0
            case "W":
                return self.faker("es" if language == "pt" else language, 0).word(), 0
            case "PII":
                return "\ufffc", 0
        raise ValueError(slot)

    def fill(self, sentence, language):
        """The text, and (start, end, label) of its parts."""
        text, parts = "", []
        for index, piece in enumerate(sentence.replace("}", "{").split("{")):
            if index % 2 == 0:
                text += piece
                continue
            value, label = self.value(piece, language)
            if label:
                parts.append((len(text), len(text) + len(value), label))
            text += value
        return text, parts

    def styled(self, text, parts):
        """As people type in a chat."""
        style = self.random.random()
        if style < 0.45:
            text = "".join(c.lower() if len(c.lower()) == 1 else c for c in text)
        elif style < 0.48:
            text = "".join(c.upper() if len(c.upper()) == 1 else c for c in text)
        if self.random.random() < 0.25:
            text = "".join(" " if c in ".,;:!?" else c for c in text)
        elif self.random.random() < 0.3:
            text = text.rstrip(".!?")
        return text, parts


def sentences():
    """(language, sentence)"""
    return [(section, line.replace("\\n", "\n")) for section, line in own.entries("people.txt") if section in COPIES]


def made(seed=SEED):
    """(text, parts) of every sentence, many times."""
    maker = Maker(seed)
    for language, sentence in sentences():
        copies = COPIES[language] if "{" in sentence else 3
        for _ in range(copies):
            yield maker.styled(*maker.fill(sentence, language))
