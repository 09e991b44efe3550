//! The products, with the names and prices that the pages of the demo shop have.

use serde::Serialize;
use serde_json::{Value, json};

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Price {
    pub amount: String,
    pub currency: &'static str,
}

impl Price {
    pub fn euros(cents: u32) -> Self {
        Self { amount: format!("{}.{:02}", cents / 100, cents % 100), currency: "EUR" }
    }
}

struct Ware {
    sku: &'static str,
    name: &'static str,
    cents: u32,
    /// What people call it, in several languages.
    words: &'static str,
    stock: &'static [(&'static str, u32)],
    stores: &'static [(&'static str, u32)],
}

const WARES: [Ware; 16] = [
    Ware {
        sku: "VIDDE-2",
        name: "Fjellheim Vidde 2",
        cents: 44_900,
        words: "tent tents zelt zelte tente tienda tenda namiot テント 帐篷 خيمة three-season two persons",
        stock: &[("", 12)],
        stores: &[("Munich", 1), ("Rostock", 3)],
    },
    Ware {
        sku: "VIDDE-3",
        name: "Fjellheim Vidde 3",
        cents: 54_900,
        words: "tent tents zelt zelte tente tienda tenda namiot テント 帐篷 خيمة three-season three persons",
        stock: &[("", 0)],
        stores: &[],
    },
    Ware {
        sku: "GROUND-2",
        name: "Groundsheet for Vidde 2",
        cents: 2_900,
        words: "groundsheet unterlage footprint",
        stock: &[("", 25)],
        stores: &[("Hamburg", 4)],
    },
    Ware {
        sku: "LYNG-0",
        name: "Fjellheim Lyng 0",
        cents: 21_900,
        words: "sleeping bag bags schlafsack schlafsäcke sac de couchage saco de dormir sacco a pelo slaapzak śpiwór 寝袋 睡袋 كيس نوم down",
        stock: &[("Regular", 8), ("Long", 2)],
        stores: &[("Munich", 2)],
    },
    Ware {
        sku: "MOSE",
        name: "Fjellheim Mose",
        cents: 8_900,
        words: "sleeping mat mats isomatte matelas esterilla materassino slaapmat karimata マット 防潮垫",
        stock: &[("", 30)],
        stores: &[("Hamburg", 2), ("Rostock", 5)],
    },
    Ware {
        sku: "GLO",
        name: "Fjellheim Glo",
        cents: 4_495,
        words: "gas stove stoves gaskocher kocher réchaud hornillo fornello brander kuchenka コンロ 炉 موقد",
        stock: &[("", 17)],
        stores: &[("Innsbruck", 3)],
    },
    Ware {
        sku: "GAS-230",
        name: "Gas cartridge 230 g",
        cents: 795,
        words: "gas cartridge gaskartusche cartouche cartucho cartuccia",
        stock: &[("", 200)],
        stores: &[("Hamburg", 20), ("Innsbruck", 20), ("Munich", 20), ("Rostock", 20)],
    },
    Ware {
        sku: "BRE-MID",
        name: "Fjellheim Bre Mid",
        cents: 18_990,
        words: "hiking boot boots wanderschuh wanderschuhe stiefel chaussures de randonnée botas scarponi wandelschoenen buty 登山靴 登山鞋 حذاء",
        stock: &[("40", 4), ("41", 2), ("42", 0), ("42.5", 3), ("43", 6), ("44", 1)],
        stores: &[("Munich", 2)],
    },
    Ware {
        sku: "TIND",
        name: "Fjellheim Tind",
        cents: 12_990,
        words: "trail running shoe shoes laufschuh laufschuhe chaussures zapatillas scarpe hardloopschoenen buty 靴 跑鞋",
        stock: &[("41", 3), ("42", 5), ("43", 2), ("44", 0), ("45", 1)],
        stores: &[],
    },
    Ware {
        sku: "STORM",
        name: "Fjellheim Storm",
        cents: 24_900,
        words: "rain jacket jackets regenjacke regenjacken jacke veste chaqueta giacca jas kurtka ジャケット 夹克 سترة waterproof",
        stock: &[("S", 5), ("M", 0), ("L", 3), ("XL", 2)],
        stores: &[("Rostock", 1)],
    },
    Ware {
        sku: "DUN",
        name: "Fjellheim Dun",
        cents: 27_900,
        words: "down jacket jackets daunenjacke daunenjacken jacke doudoune veste plumífero chaqueta piumino giacca donsjas kurtka ダウンジャケット ジャケット 羽绒服 夹克",
        stock: &[("S", 2), ("M", 4), ("L", 4)],
        stores: &[("Munich", 1)],
    },
    Ware {
        sku: "VIND",
        name: "Fjellheim Vind",
        cents: 11_900,
        words: "trousers pants hose wanderhose pantalon pantalones pantaloni broek spodnie ズボン 裤子",
        stock: &[("S", 3), ("M", 6), ("L", 2)],
        stores: &[],
    },
    Ware {
        sku: "STI-45",
        name: "Fjellheim Sti 45",
        cents: 15_900,
        words: "backpack backpacks rucksack rucksäcke sac à dos mochila zaino rugzak plecak リュック バックパック 背包 حقيبة",
        stock: &[("", 9)],
        stores: &[("Innsbruck", 2)],
    },
    Ware {
        sku: "LYS",
        name: "Fjellheim Lys",
        cents: 4_995,
        words: "headlamp head torch stirnlampe lampe frontale linterna lampada hoofdlamp czołówka ヘッドランプ 头灯",
        stock: &[("", 40)],
        stores: &[("Hamburg", 6)],
    },
    Ware {
        sku: "AVA-SET",
        name: "Avalanche set",
        cents: 34_900,
        words: "avalanche transceiver probe shovel lawinenset lawinen lvs sonde schaufel",
        stock: &[("", 6)],
        stores: &[("Innsbruck", 4), ("Munich", 2)],
    },
    Ware {
        sku: "SOCKS",
        name: "Hiking socks",
        cents: 1_995,
        words: "sock socks socken wandersocken chaussettes calcetines calze calzini sokken skarpety 靴下 袜子 جوارب",
        stock: &[("39-42", 20), ("43-46", 12)],
        stores: &[("Hamburg", 10), ("Rostock", 10)],
    },
];

pub fn name(sku: &str) -> &'static str {
    WARES.iter().find(|ware| ware.sku == sku).map_or("", |ware| ware.name)
}

pub fn total(wares: &[(&str, u32, &str)]) -> Price {
    let cents = |sku: &str| WARES.iter().find(|w| w.sku == sku).map_or(0, |w| w.cents);
    Price::euros(wares.iter().map(|(sku, quantity, _)| cents(sku) * quantity).sum())
}

/// Products that fit the most words of `query`; those that are left in `size` come first.
pub fn search(
    query: &str,
    size: Option<&str>,
    most_cents: Option<u32>,
    limit: usize,
) -> Vec<Value> {
    let words: Vec<String> = words(query).collect();
    let fits = |ware: &Ware| {
        let known: Vec<String> = self::words(&format!("{} {}", ware.name, ware.words)).collect();
        let has = |word: &&String| known.iter().any(|known| is_like(known, word));
        words.iter().filter(has).count()
    };
    let mut found: Vec<(usize, &Ware)> = WARES
        .iter()
        .filter(|ware| most_cents.is_none_or(|most| ware.cents <= most))
        .map(|ware| (fits(ware), ware))
        // Most of what was asked for, so that "vegan boots" is not any boots.
        .filter(|(count, _)| *count > 0 && count * 3 >= words.len() * 2)
        .collect();
    let best = found.iter().map(|(count, _)| *count).max().unwrap_or(0);
    found.retain(|(count, _)| *count == best);
    let has = |ware: &Ware| {
        size.is_some_and(|size| {
            ware.stock.iter().any(|(s, n)| *n > 0 && s.eq_ignore_ascii_case(size))
        })
    };
    found.sort_by_key(|(_, ware)| !has(ware));
    found.into_iter().take(limit).map(|(_, ware)| ware.shown()).collect()
}

/// The same word, or one that the other one begins with.
fn is_like(known: &str, word: &str) -> bool {
    let long = word.chars().count() >= 4 && known.chars().count() >= 4;
    known == word
        || long && (known.starts_with(word) || word.starts_with(known))
        || !word.is_ascii() && (known.contains(word) || word.contains(known))
}

fn words(text: &str) -> impl Iterator<Item = String> {
    let parts = text.split(|c: char| !c.is_alphanumeric() && c != '-');
    parts.filter(|part| !part.is_empty()).map(str::to_lowercase)
}

impl Ware {
    fn shown(&self) -> Value {
        let stock: Vec<Value> = self
            .stock
            .iter()
            .map(|(size, quantity)| {
                if size.is_empty() {
                    json!({"quantity": quantity})
                } else {
                    json!({"size": size, "quantity": quantity})
                }
            })
            .collect();
        let stores: Vec<Value> = self
            .stores
            .iter()
            .map(|(name, quantity)| json!({"name": name, "quantity": quantity}))
            .collect();
        json!({
            "sku": self.sku,
            "name": self.name,
            "price": Price::euros(self.cents),
            "url": format!("https://fjellheim.example/products/{}", self.sku.to_lowercase()),
            "stock": stock,
            "stores": stores,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(query: &str) -> Vec<String> {
        search(query, None, None, 5)
            .into_iter()
            .map(|ware| ware["name"].as_str().unwrap_or_default().to_owned())
            .collect()
    }

    #[test]
    fn a_product_is_found_by_its_name_and_by_what_people_call_it() {
        assert_eq!(names("vidde 2"), ["Fjellheim Vidde 2", "Groundsheet for Vidde 2"]);
        assert_eq!(names("Zelt"), ["Fjellheim Vidde 2", "Fjellheim Vidde 3"]);
        assert_eq!(names("寝袋"), ["Fjellheim Lyng 0"]);
        assert!(names("bicycle").is_empty());
        assert_eq!(search("jacket", None, Some(25_000), 5).len(), 1);
        assert_eq!(search("boots", Some("43"), None, 5).len(), 1);
    }
}
