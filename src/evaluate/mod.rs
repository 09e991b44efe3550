//! `rushdesk eval`: measures the rules of the service on labelled data, and prints a table.
//!
//! Called by the command line; it never runs inside a service.

mod answers;
mod cache;
mod errands;
mod injection;
mod options;
mod pii;
mod routing;
mod rows;
mod score;
mod tally;

pub use self::{
    answers::{Answered, answers},
    cache::{CacheReport, Served, cache},
    errands::{Errands, errands},
    injection::injection,
    options::{AnswerOptions, CacheOptions, ErrandOptions, Measure, Options, RoutingOptions},
    pii::pii,
    routing::{Routing, routing},
    score::Report,
};

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Config, Sources};

    /// What share of the questions must get a useful answer, and what share may get a wrong one.
    const USEFUL: f64 = 0.87;
    const WRONG: f64 = 0.035;

    /// What must be hidden of each type that has fixed rules.
    const BAR: f64 = 0.98;
    /// And of names and addresses.
    const BAR_OF_PEOPLE: f64 = 0.85;

    #[test]
    fn the_sample_reaches_the_bars() {
        let options = Options { data: vec!["tests/data/pii".into()], show: 5 };
        let report = pii(&options).unwrap();
        println!("{report}");
        assert!(report.recall.len() > 15);
        for (row, recall) in &report.recall {
            let share = recall.hidden as f64 / recall.spans as f64;
            let people = matches!(row.1.as_str(), "PERSON" | "ADDRESS");
            assert!(share >= if people { BAR_OF_PEOPLE } else { BAR }, "{row:?}: {share}");
        }
        for (file, alarms) in &report.alarms {
            assert!(alarms.alarmed * 100 <= alarms.rows, "{file}: {}", alarms.alarmed);
        }
    }

    /// What share of the messages must end in the right tool or question.
    const ERRANDS: f64 = 0.95;

    #[test]
    fn errands_end_in_the_right_tool_or_question_and_rules_of_the_shop_are_no_errands() {
        let options = ErrandOptions { data: vec!["tests/data/errands".into()], show: 20 };
        let report = errands(&options).unwrap();
        println!("{report}");
        assert!(report.all() >= 200 && report.no_errands().1 >= 60);
        assert!(report.share() >= ERRANDS, "{}", report.share());
        let (right, all) = report.no_errands();
        assert!(right * 100 >= all * 98, "{right} of {all}");
    }

    #[actix::test]
    async fn questions_to_the_demo_shop_are_answered_from_its_pages_or_not_at_all() {
        let mut config = Config::load(&Sources::default()).unwrap();
        let Some(model) = std::env::var_os("RUSHDESK_TEST_MODEL_DIR") else {
            println!("RUSHDESK_TEST_MODEL_DIR is not set: nothing is measured");
            return;
        };
        let folder = std::path::PathBuf::from(model);
        config.embedding.model_dir = folder.join("all-MiniLM-L6-v2");
        config.embedding.library = folder.join("libonnxruntime.so");
        let options = AnswerOptions {
            data: vec!["tests/data/answers/demo.jsonl".into()],
            knowledge: "demo/knowledge".into(),
            confidence: None,
            features: None,
            show: true,
        };
        let answered = answers(&options, &config).await.unwrap();
        println!("{answered}");
        assert!(answered.questions() >= 300);
        assert!(answered.useful() >= USEFUL, "{}", answered.useful());
        assert!(answered.wrong() <= WRONG, "{}", answered.wrong());
    }
}
