#!/usr/bin/env python3
"""Writes the word lists of the tagger of names and addresses, from the packages Faker (MIT) and
indian-names (BSD-3-Clause).

    lists.py --out src/guard/pii/tagger/lists.txt

A word may stand in several sections. Words are folded as `src/guard/pii/fold.rs` folds them.
"""

import argparse
import importlib
import importlib.resources
import re
import unicodedata
from pathlib import Path

import own

PEOPLE = """da_DK de_AT de_CH de_DE en en_GB en_IE en_IN en_KE en_NG en_NZ en_PK en_US es_AR es_CA es_CL es_CO
    es_ES es_MX et_EE fi_FI fr_BE fr_CA fr_CH fr_DZ fr_FR ha_NG hr_HR hu_HU id_ID ig_NG it_IT nl_BE nl_NL
    no_NO pl_PL pt_BR pt_PT ro_RO sl_SI sv_SE sw tr_TR vi_VN yo_NG cs_CZ""".split()
PLACES = """de_AT de_CH de_DE en_AU en_CA en_GB en_IN en_US es_AR es_ES es_MX fi_FI fr_CH fr_FR no_NO pt_BR
    sv_SE""".split()
ORDINARY = "da_DK de_DE en_US es_ES fr_FR it_IT nl_NL pl_PL".split()
# What streets are called, and other parts of addresses.
STREETS = """street str st road rd avenue ave av lane ln drive dr boulevard blvd court ct circle cir highway hwy way
    square sq terrace place pl parkway pkwy alley trail close crescent gardens grove hill mews row view walk
    suite ste apt apartment unit flat floor box pobox block building bldg room door
    strasse weg platz gasse allee ring ufer damm steig postfach hausnummer stiege
    rue chemin impasse allee cours quai route bd batiment appartement etage bp cedex
    calle avenida avda paseo plaza carretera camino ronda travesia piso puerta apartado
    via viale piazza corso vicolo largo strada interno scala
    straat laan plein gracht kade postbus rua praca travessa alameda estrada
    ulica ul aleja plac osiedle vej gade gata gatan vag vagen katu tie veien gate nagar chowk marg""".split()


def fold(text):
    text = unicodedata.normalize("NFKD", text).lower()
    return "".join(c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c))


def words(texts):
    """The folded words of Latin letters."""
    found = set()
    for text in texts:
        folded = fold(text)
        if folded.isascii():
            found.update(word for word in re.findall("[a-z]+", folded) if len(word) > 1)
    return found


def attributes(provider, locales, wanted):
    """The texts of the lists of a provider of Faker whose name is wanted."""
    for locale in locales:
        module = importlib.import_module(f"faker.providers.{provider}.{locale}").Provider
        for name in dir(module):
            value = getattr(module, name)
            if wanted(name) and isinstance(value, (list, tuple, dict)):
                yield from (text for item in value for text in flat(item))


def indian(file):
    return importlib.resources.files("indian_names").joinpath(file).read_text().split()


def flat(item):
    if isinstance(item, str):
        return [item]
    return [text for text in item if isinstance(text, str)] if isinstance(item, (list, tuple)) else []


def sections():
    first = words(attributes("person", PEOPLE, lambda name: "first" in name and "format" not in name))
    first |= words(indian("first.female.names") + indian("first.male.names"))
    # The endings of the thousands of Polish names are enough.
    some = [locale for locale in PEOPLE if locale != "pl_PL"]
    last = words(attributes("person", some, lambda name: "last" in name and "format" not in name))
    last |= words(indian("last.names"))
    places = ("cities", "city_names", "towns", "countries", "states", "states_abbr", "provinces", "regions", "cantons")
    town = words(attributes("address", PLACES, lambda name: name in places))
    street = words(attributes("address", PLACES, lambda name: "street_suffix" in name or "street_prefix" in name))
    texts = [text for text, _ in own.examples()] + [text for text, _ in own.about_goods()]
    ordinary = words(attributes("lorem", ORDINARY, lambda name: name == "word_list")) | words(texts)
    return {
        "first": first,
        "last": last,
        "town": town,
        "street": street | set(STREETS),
        "ordinary": {word for word in ordinary if len(word) > 2},
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, required=True)
    out = parser.parse_args().out
    made = sections()
    head = """# First names, last names, towns, street words and ordinary words, folded; a word may stand in several sections.
# Made by scripts/train/lists.py from Faker, Copyright (c) 2012 Daniele Faraglia (MIT), and from indian-names,
# Copyright (c) 2021 Shraddha Kishan Tripathi (BSD-3-Clause). Both licences: lists.LICENSE.
"""
    parts = [f"[{name}]\n" + "\n".join(sorted(found)) + "\n" for name, found in made.items()]
    out.write_text(head + "".join(parts))
    print({name: len(found) for name, found in made.items()}, out.stat().st_size)


if __name__ == "__main__":
    main()
