//! One answer of 60 pieces, checked against four passages, compared with the output filter alone.
//!
//! `cargo bench --bench claims`

#![allow(clippy::unwrap_used, reason = "a benchmark that cannot be set up has no result")]

use std::{hint::black_box, sync::Arc};

use divan::Bencher;
use rushdesk::{
    config::{Config, Sources},
    domain::SiteId,
    guard::{ClaimFilter, Evidence, OutputFilter, Policy, Source, Vault},
};

const QUESTION: &str = "How much does express shipping to Austria cost?";
const PASSAGES: [(&str, &str); 4] = [
    (
        "Express shipping",
        "With express shipping your parcel arrives on the next working day if you order before 13:00 from \
         Monday to Friday. Express shipping costs 12.90 EUR and is available for addresses in Germany and \
         Austria. Orders placed on Friday after 13:00 or at the weekend arrive on Tuesday.",
    ),
    (
        "Shipping costs",
        "Standard shipping within Germany and Austria costs 4.90 EUR. Standard shipping is free for orders of \
         60 EUR or more. Express shipping costs 12.90 EUR whatever the order is worth.",
    ),
    (
        "Delivery times",
        "Standard delivery within Germany takes 2 to 3 working days. Standard delivery to Austria takes 3 to 4 \
         working days. Parcels to Belgium, Czechia, Denmark, France, Luxembourg, the Netherlands and Poland \
         arrive in 3 to 5 working days.",
    ),
    (
        "Express shipping",
        "If your express parcel arrives later than promised, we refund the express fee of 12.90 EUR in full. \
         Write to help@fjellheim.example with your order number within 14 days.",
    ),
];
const ANSWER: &str = "Express shipping costs 12.90 EUR and is available for addresses in Germany and Austria [1]. \
    With express shipping your parcel arrives on the next working day if you order before 13:00 from Monday to \
    Friday [1]. Standard shipping within Germany and Austria costs 4.90 EUR [2].";

fn main() {
    divan::main();
}

fn pieces() -> Vec<&'static str> {
    ANSWER.split_inclusive(' ').collect()
}

#[divan::bench]
fn evidence_and_claims(bencher: Bencher<'_, '_>) {
    let config = Config::load(&Sources::default()).unwrap();
    let policy = Policy::of(&config.guard, &SiteId::parse("demo").unwrap(), Vec::new());
    let (policy, pieces, vault) = (Arc::new(policy), pieces(), Vault::new());
    bencher.bench_local(|| {
        let sources = PASSAGES.map(|(title, text)| Source {
            title,
            heading: "",
            text,
            url: None,
            is_looked_up: false,
        });
        let evidence = Evidence::new(QUESTION, &sources, &[], "");
        let (evidence, policy) = (Arc::new(evidence), Arc::clone(&policy));
        let mut filter = ClaimFilter::new(evidence, policy, &vault, "en");
        for piece in &pieces {
            black_box(filter.push(piece));
        }
        black_box(filter.finish());
    });
}

#[divan::bench]
fn output_filter_alone(bencher: Bencher<'_, '_>) {
    let (pieces, vault) = (pieces(), Vault::new());
    bencher.bench_local(|| {
        let mut filter = OutputFilter::new(&vault, 1 << 16);
        for piece in &pieces {
            black_box(filter.push(piece));
        }
        black_box(filter.finish());
    });
}
